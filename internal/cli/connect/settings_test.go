package connect

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

const pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"

// files are what there is to read.
var files = map[string]string{
	"ca.pem": pem, "both.pem": pem + "-----BEGIN PRIVATE KEY-----\n", "store.jks": "\xfe\xed\xfe\xed",
	"locked.pem": pem + "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "password": "s3cret\n", "empty": "\n",
	"client.properties": "bootstrap.servers=a:1, b:2\nsecurity.protocol=SSL\nssl.truststore.location=ca.pem\n",
	"bad.properties":    "security.protocol=TLS\n",
}

func readTest(path string) ([]byte, error) {
	text, ok := files[path]
	if !ok {
		return nil, errors.New(path + ": no such file or directory")
	}
	return []byte(text), nil
}

func TestFromProperties(t *testing.T) {
	plain := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.jaas.config": `org.x.PlainLoginModule required username="u" password="p";`}
	with := func(base map[string]string, pairs ...string) map[string]string {
		all := make(map[string]string)
		for key, value := range base {
			all[key] = value
		}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		return all
	}
	tests := map[string]struct {
		reason     string
		properties map[string]string
		want       kafka.Settings
		err        string
	}{
		"nothing":   {reason: "Java's default is plaintext.", want: kafka.Settings{}},
		"addresses": {reason: "They may be in the file.", properties: map[string]string{"bootstrap.servers": "a:1, b:2"}, want: kafka.Settings{BootstrapServers: []string{"a:1", "b:2"}}},
		"PLAIN": {reason: "The credentials are in the JAAS text.", properties: plain,
			want: kafka.Settings{SASL: &kafka.SASL{Mechanism: "PLAIN", Values: map[string]string{"username": "u", "password": "p"}}}},
		"SCRAM over TLS": {reason: "Both at once.",
			properties: map[string]string{"security.protocol": "sasl_ssl", "sasl.mechanism": "SCRAM-SHA-512", "sasl.jaas.config": `org.x.ScramLoginModule required username="u" password="p";`, "ssl.truststore.type": "PEM", "ssl.truststore.location": "ca.pem"},
			want:       kafka.Settings{TLS: &kafka.TLS{CA: []byte(pem)}, SASL: &kafka.SASL{Mechanism: "SCRAM-SHA-512", Values: map[string]string{"username": "u", "password": "p"}}}},
		"OAUTHBEARER": {reason: "The client credentials grant.",
			properties: map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url": "https://idp/token", "sasl.jaas.config": `org.x.OAuthBearerLoginModule required clientId="i" clientSecret="s" scope="k";`},
			want:       kafka.Settings{SASL: &kafka.SASL{Mechanism: "OAUTHBEARER", Values: map[string]string{"clientId": "i", "clientSecret": "s", "tokenEndpoint": "https://idp/token", "scope": "k"}}}},
		"mutual TLS": {reason: "One PEM file has the key and the certificate.", properties: map[string]string{"security.protocol": "SSL", "ssl.keystore.location": "both.pem"},
			want: kafka.Settings{TLS: &kafka.TLS{Certificate: []byte(files["both.pem"]), Key: []byte(files["both.pem"])}}},
		"TLS in the file itself": {reason: "PEM texts may be values.", properties: map[string]string{"security.protocol": "SSL", "ssl.truststore.certificates": "CA", "ssl.keystore.certificate.chain": "C", "ssl.keystore.key": "K"},
			want: kafka.Settings{TLS: &kafka.TLS{CA: []byte("CA"), Certificate: []byte("C"), Key: []byte("K")}}},

		"an unknown protocol":   {reason: "Named with those that there are.", properties: map[string]string{"security.protocol": "TLS"}, err: `security.protocol: "TLS" is not one of PLAINTEXT,`},
		"a JKS store":           {reason: "Told how to convert it.", properties: map[string]string{"security.protocol": "SSL", "ssl.truststore.location": "store.jks"}, err: "ssl.truststore.location: store.jks is not in PEM format"},
		"a missing store":       {reason: "Which file, and for what.", properties: map[string]string{"security.protocol": "SSL", "ssl.truststore.location": "nope"}, err: "ssl.truststore.location: nope: no such file"},
		"a locked key":          {reason: "The library would only say that it cannot parse it.", properties: map[string]string{"security.protocol": "SSL", "ssl.keystore.location": "locked.pem"}, err: "ssl.keystore: the private key is encrypted"},
		"names not verified":    {reason: "Turning verification off in silence is no way to read it.", properties: map[string]string{"security.protocol": "SSL", "ssl.endpoint.identification.algorithm": ""}, err: "ssl.endpoint.identification.algorithm: the names"},
		"values from elsewhere": {reason: "They cannot be had.", properties: map[string]string{"config.providers": "env"}, err: "config.providers: values from elsewhere"},
		"no mechanism":          {reason: "Java would take Kerberos.", properties: map[string]string{"security.protocol": "SASL_SSL"}, err: "sasl.mechanism is missing"},
		"Kerberos":              {reason: "It is not spoken.", properties: with(plain, "sasl.mechanism", "GSSAPI"), err: `sasl.mechanism: "GSSAPI" is not one of`},
		"no JAAS":               {reason: "Told where the credentials are.", properties: with(plain, "sasl.jaas.config", ""), err: "sasl.jaas.config is missing"},
		"the wrong module":      {reason: "The two must go together.", properties: with(plain, "sasl.mechanism", "SCRAM-SHA-256"), err: "sasl.jaas.config: the login module org.x.PlainLoginModule does not go with"},
		"no password":           {reason: "An empty one is a mistake.", properties: with(plain, "sasl.jaas.config", `org.x.PlainLoginModule required username="u";`), err: "sasl.jaas.config: the option password is missing or empty"},
		"no token endpoint": {reason: "Tokens come from there.", properties: map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "sasl.jaas.config": `org.x.OAuthBearerLoginModule required;`},
			err: "sasl.oauthbearer.token.endpoint.url is missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := FromProperties(test.properties, readTest)
			check(t, test.reason, got, err, test.want, test.err)
		})
	}
}

func TestFlags(t *testing.T) {
	tests := map[string]struct {
		reason string
		flags  Flags
		want   kafka.Settings
		err    string
	}{
		"plaintext":      {reason: "No security flag, no security.", flags: Flags{BootstrapServers: []string{"a:9092", "[::1]:9092"}}, want: kafka.Settings{BootstrapServers: []string{"a:9092", "[::1]:9092"}}},
		"TLS":            {reason: "The system's authorities.", flags: Flags{TLS: true}, want: kafka.Settings{TLS: &kafka.TLS{}}},
		"mutual TLS":     {reason: "All that TLS takes.", flags: Flags{TLSCA: "ca.pem", TLSCert: "ca.pem", TLSKey: "both.pem", TLSServerName: "k"}, want: kafka.Settings{TLS: &kafka.TLS{CA: []byte(pem), Certificate: []byte(pem), Key: []byte(files["both.pem"]), ServerName: "k"}}},
		"SASL":           {reason: "The newline at the end of the file is not part of the password.", flags: Flags{SASLMechanism: "scram-sha-512", SASLUser: "u", SASLPasswordFile: "password"}, want: kafka.Settings{SASL: &kafka.SASL{Mechanism: "SCRAM-SHA-512", Values: map[string]string{"username": "u", "password": "s3cret"}}}},
		"command config": {reason: "Addresses on the command line come first.", flags: Flags{BootstrapServers: []string{"c:3"}, CommandConfig: "client.properties"}, want: kafka.Settings{BootstrapServers: []string{"c:3"}, TLS: &kafka.TLS{CA: []byte(pem)}}},

		"a URL":                  {reason: "Kafka's addresses have no scheme.", flags: Flags{BootstrapServers: []string{"kafka://a:1"}}, err: `bootstrap server "kafka://a:1": want host:port`},
		"no port":                {reason: "Kafka has no default port.", flags: Flags{BootstrapServers: []string{"a"}}, err: `bootstrap server "a": want host:port`},
		"a port out of range":    {reason: "It cannot be dialled.", flags: Flags{BootstrapServers: []string{"a:70000"}}, err: `bootstrap server "a:70000": want host:port`},
		"both ways":              {reason: "Which would win?", flags: Flags{CommandConfig: "client.properties", TLS: true}, err: "--command-config and the --tls and --sasl flags exclude each other"},
		"a bad command config":   {reason: "The file is named.", flags: Flags{CommandConfig: "bad.properties"}, err: "--command-config: bad.properties: security.protocol"},
		"no command config":      {reason: "The file is named.", flags: Flags{CommandConfig: "nope"}, err: "--command-config: nope: no such file"},
		"half a pair":            {reason: "A certificate needs its key.", flags: Flags{TLSCert: "ca.pem"}, err: "--tls-cert and --tls-key go together"},
		"no mechanism":           {reason: "A user without a mechanism.", flags: Flags{SASLUser: "u"}, err: "--sasl-mechanism is missing"},
		"an unknown mechanism":   {reason: "Told where the others go.", flags: Flags{SASLMechanism: "GSSAPI"}, err: `--sasl-mechanism: "GSSAPI" is not one of`},
		"no password file":       {reason: "Passwords are not given on command lines.", flags: Flags{SASLMechanism: "PLAIN", SASLUser: "u"}, err: "--sasl-mechanism needs --sasl-user and --sasl-password-file"},
		"an empty password file": {reason: "Most likely a mistake.", flags: Flags{SASLMechanism: "PLAIN", SASLUser: "u", SASLPasswordFile: "empty"}, err: "--sasl-password-file: empty is empty"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.flags.Settings(readTest)
			check(t, test.reason, got, err, test.want, test.err)
		})
	}
}

func TestFromCluster(t *testing.T) {
	cluster := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "c"}, Status: v1alpha1.KafkaClusterStatus{ClusterID: "seen"}}
	got, err := FromCluster(cluster, "mooring-system", nil)
	check(t, "One look has no interval.", got, err, kafka.Settings{ExpectedClusterID: "seen"}, "")

	cluster.Spec.SASL = &v1alpha1.KafkaClusterSASL{Mechanism: "PLAIN", CredentialsRef: v1alpha1.SecretReference{Name: "creds"}}
	_, err = FromCluster(cluster, "mooring-system", nil)
	if err == nil || !strings.HasPrefix(err.Error(), "KafkaCluster c: spec.sasl.credentialsRef (mechanism PLAIN): there is no Secret mooring-system/creds;") || !strings.Contains(err.Error(), "--secrets-namespace") {
		t.Errorf("a Secret that is not there: %v", err)
	}
}

func check(t *testing.T, reason string, got kafka.Settings, err error, want kafka.Settings, wantErr string) {
	t.Helper()
	if wantErr != "" {
		if err == nil || !strings.HasPrefix(err.Error(), wantErr) {
			t.Errorf("%s\ngot error  %v\nwant error %s...", reason, err, wantErr)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s %v", reason, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n(-want +got)\n%s", reason, diff)
	}
}

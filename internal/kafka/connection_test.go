package kafka_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// pair is a self-signed certificate and its key.
func pair(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func TestSettingsFrom(t *testing.T) {
	sasl := func(mechanism v1alpha1.SASLMechanism) *v1alpha1.KafkaClusterSASL {
		return &v1alpha1.KafkaClusterSASL{Mechanism: mechanism, CredentialsRef: v1alpha1.SecretReference{Name: "creds"}}
	}
	secure := &v1alpha1.KafkaClusterTLS{ServerName: "k",
		CABundleRef:          &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Name: "ca"}, Key: "ca.crt"},
		ClientCertificateRef: &v1alpha1.SecretReference{Name: "client"}}
	certificate, key := pair(t)
	otherCertificate, _ := pair(t)
	tests := map[string]struct {
		reason  string
		spec    v1alpha1.KafkaClusterSpec
		secrets kafka.Secrets
		want    kafka.Settings
		err     string
	}{
		"plaintext": {reason: "The ID that was seen is the only one that may answer.", want: kafka.Settings{ExpectedClusterID: "seen"}},
		"an accepted ID": {reason: "A person's word counts more.", spec: v1alpha1.KafkaClusterSpec{AcceptClusterID: "new"},
			want: kafka.Settings{ExpectedClusterID: "new"}},
		"TLS and SCRAM": {reason: "All from Secrets.", spec: v1alpha1.KafkaClusterSpec{TLS: secure, SASL: sasl("SCRAM-SHA-512")},
			secrets: kafka.Secrets{"ca": {"ca.crt": certificate}, "client": {"tls.crt": certificate, "tls.key": key}, "creds": {"username": []byte("u"), "password": []byte("p")}},
			want: kafka.Settings{ExpectedClusterID: "seen", TLS: &kafka.TLS{CA: certificate, Certificate: certificate, Key: key, ServerName: "k"},
				SASL: &kafka.SASL{Mechanism: "SCRAM-SHA-512", Values: map[string]string{"username": "u", "password": "p"}}}},
		"a ready token": {reason: "It needs no client credentials.", spec: v1alpha1.KafkaClusterSpec{SASL: sasl("OAUTHBEARER")}, secrets: kafka.Secrets{"creds": {"token": []byte("t")}},
			want: kafka.Settings{ExpectedClusterID: "seen", SASL: &kafka.SASL{Mechanism: "OAUTHBEARER", Values: map[string]string{"token": "t"}}}},
		"a session token": {reason: "Temporary AWS credentials have one.", spec: v1alpha1.KafkaClusterSpec{SASL: sasl("AWS_MSK_IAM")},
			secrets: kafka.Secrets{"creds": {"accessKeyId": []byte("a"), "secretAccessKey": []byte("s"), "sessionToken": []byte("t")}},
			want:    kafka.Settings{ExpectedClusterID: "seen", SASL: &kafka.SASL{Mechanism: "AWS_MSK_IAM", Values: map[string]string{"accessKeyId": "a", "secretAccessKey": "s", "sessionToken": "t"}}}},
		"no Secret": {reason: "Told where it should be.", spec: v1alpha1.KafkaClusterSpec{SASL: sasl("PLAIN")}, err: `spec.sasl.credentialsRef (mechanism PLAIN): there is no Secret mooring-system/creds; create it in the operator's namespace, with the key "username"`},
		"no key": {reason: "Told which.", spec: v1alpha1.KafkaClusterSpec{TLS: secure}, secrets: kafka.Secrets{"ca": {"ca.crt": certificate}, "client": {"tls.crt": certificate}},
			err: `spec.tls.clientCertificateRef: Secret mooring-system/client has no key "tls.key", or it is empty`},
		"no certificate": {reason: "A CA that is none trusts nobody.", spec: v1alpha1.KafkaClusterSpec{TLS: secure}, secrets: kafka.Secrets{"ca": {"ca.crt": []byte("CA")}},
			err: `spec.tls.caBundleRef: the key "ca.crt" of Secret mooring-system/ca holds no PEM certificate`},
		"no pair": {reason: "Told before the first handshake fails.", spec: v1alpha1.KafkaClusterSpec{TLS: secure}, secrets: kafka.Secrets{"ca": {"ca.crt": certificate}, "client": {"tls.crt": otherCertificate, "tls.key": key}},
			err: "spec.tls.clientCertificateRef: tls.crt and tls.key of Secret mooring-system/client do not make a pair:"},
		"an interval below a second": {reason: "Looks take time themselves.", spec: v1alpha1.KafkaClusterSpec{Drift: v1alpha1.DriftSpec{Interval: &metav1.Duration{Duration: time.Millisecond}}},
			want: kafka.Settings{ExpectedClusterID: "seen", Interval: time.Second}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cluster := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "c"}, Spec: test.spec, Status: v1alpha1.KafkaClusterStatus{ClusterID: "seen"}}
			got, err := kafka.SettingsFrom(cluster, "mooring-system", test.secrets)
			switch {
			case test.err != "":
				if err == nil || !strings.HasPrefix(err.Error(), test.err) {
					t.Errorf("%s\ngot error  %v\nwant error %s...", test.reason, err, test.err)
				}
			case err != nil:
				t.Fatalf("%s %v", test.reason, err)
			case !cmp.Equal(test.want, got):
				t.Errorf("%s\n(-want +got)\n%s", test.reason, cmp.Diff(test.want, got))
			}
		})
	}
	if got, want := kafka.SecretsOf(&v1alpha1.KafkaClusterSpec{TLS: secure, SASL: sasl("PLAIN")}), []string{"ca", "client", "creds"}; !cmp.Equal(got, want) {
		t.Errorf("the Secrets are %v, want %v", got, want)
	}
}

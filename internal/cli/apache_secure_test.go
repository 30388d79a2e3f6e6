//go:build kafka

package cli

import (
	"fmt"
	"strings"
	"testing"

	"mooring.dev/mooring/hack/localkafka/local"
)

// secureCase is one way to connect, and what comes of it.
type secureCase struct {
	name   string
	args   []string
	status int
	want   string
}

// secureFlags are the ways to connect that the flags and a Java client's properties give, and some that must fail.
func secureFlags(t *testing.T, state local.State) []secureCase {
	t.Helper()
	admin, err := state.User(local.AdminUser)
	if err != nil {
		t.Fatal(err)
	}
	limited, err := state.User(local.LimitedUser)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	password := write(t, dir, "password", admin.Password+"\n")
	wrong := write(t, dir, "wrong", "wrong\n")
	limitedPassword := write(t, dir, "limited", limited.Password)
	properties := write(t, dir, "client.properties", fmt.Sprintf(
		"bootstrap.servers=%s\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n  username=\"%s\" \\\n  password=\"%s\";\nssl.truststore.type=PEM\nssl.truststore.location=%s\n",
		strings.Join(state.Bootstrap.SASLSSL, ","), admin.Name, admin.Password, state.Certificates.CA))
	at := func(servers []string, args ...string) []string {
		return append([]string{"--bootstrap-servers", strings.Join(servers, ",")}, args...)
	}
	b, c := state.Bootstrap, state.Certificates
	const noChange = "201 topics: no change"
	return []secureCase{
		{"TLS", at(b.TLS, "--tls-ca", c.CA), 0, noChange},
		{"mutual TLS", at(b.MTLS, "--tls-ca", c.CA, "--tls-cert", c.Admin.Cert, "--tls-key", c.Admin.Key), 0, noChange},
		{"SCRAM over TLS, as a Java client", []string{"--command-config", properties}, 0, noChange},
		{"PLAIN", at(b.SASLPlaintext, "--sasl-mechanism", "PLAIN", "--sasl-user", admin.Name, "--sasl-password-file", password), 0, noChange},

		{"an authority that is not trusted", at(b.TLS, "--tls"), 1, "the TLS handshake failed"},
		{"a certificate for another name", at(b.TLSWrongName, "--tls-ca", c.CA), 1, "the TLS handshake failed"},
		{"no client certificate", at(b.MTLS, "--tls-ca", c.CA), 1, "the TLS handshake failed"},
		{"a wrong password", at(b.SASLPlaintext, "--sasl-mechanism", "SCRAM-SHA-512", "--sasl-user", admin.Name, "--sasl-password-file", wrong), 1, "refuses the credentials"},
		{"plaintext on a TLS listener", at(b.TLS), 1, "check the addresses, and whether that listener wants TLS or SASL"},
		{"a principal without an ACL", at(b.SASLPlaintext, "--sasl-mechanism", "PLAIN", "--sasl-user", limited.Name, "--sasl-password-file", limitedPassword), 1, "TOPIC_AUTHORIZATION_FAILED"},
	}
}

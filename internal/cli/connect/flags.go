package connect

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// Flags say on the command line how to reach a cluster.
type Flags struct {
	BootstrapServers []string
	// CommandConfig is the path of a Java client's properties file.
	CommandConfig string

	TLS                                   bool
	TLSCA, TLSCert, TLSKey, TLSServerName string

	SASLMechanism, SASLUser, SASLPasswordFile string
}

// Security says whether the flags give any of the security settings, so that none is taken from elsewhere.
func (f Flags) Security() bool { return f.CommandConfig != "" || f.security() }

func (f Flags) security() bool { return f.tls() || f.sasl() }

func (f Flags) tls() bool {
	return f.TLS || f.TLSCA != "" || f.TLSCert != "" || f.TLSKey != "" || f.TLSServerName != ""
}

func (f Flags) sasl() bool {
	return f.SASLMechanism != "" || f.SASLUser != "" || f.SASLPasswordFile != ""
}

// Settings are what the flags say. Without a security flag it is a plaintext connection.
func (f Flags) Settings(read ReadFile) (kafka.Settings, error) {
	var s kafka.Settings
	if f.CommandConfig != "" {
		if f.security() {
			return s, errors.New("--command-config and the --tls and --sasl flags exclude each other; use one or the other")
		}
		text, err := read(f.CommandConfig)
		if err != nil {
			return s, fmt.Errorf("--command-config: %w", err)
		}
		properties, err := ParseProperties(string(text))
		if err == nil {
			s, err = FromProperties(properties, read)
		}
		if err != nil {
			return s, fmt.Errorf("--command-config: %s: %w", f.CommandConfig, err)
		}
	}
	if len(f.BootstrapServers) > 0 {
		s.BootstrapServers = f.BootstrapServers
	}
	for _, server := range s.BootstrapServers {
		if err := checkServer(server); err != nil {
			return s, err
		}
	}
	var err error
	if f.tls() {
		if s.TLS, err = f.tlsSettings(read); err != nil {
			return s, err
		}
	}
	if f.sasl() {
		if s.SASL, err = f.saslSettings(read); err != nil {
			return s, err
		}
	}
	return s, nil
}

func checkServer(server string) error {
	host, port, err := net.SplitHostPort(server)
	n, errPort := strconv.ParseUint(port, 10, 16)
	if err != nil || errPort != nil || n == 0 || host == "" || strings.ContainsAny(host, "/ ") {
		return fmt.Errorf("bootstrap server %q: want host:port, without a scheme (an IPv6 address in brackets)", server)
	}
	return nil
}

func (f Flags) tlsSettings(read ReadFile) (*kafka.TLS, error) {
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return nil, errors.New("--tls-cert and --tls-key go together; give both or neither")
	}
	t := &kafka.TLS{ServerName: f.TLSServerName}
	for _, file := range []struct {
		flag, path string
		into       *[]byte
	}{{"--tls-ca", f.TLSCA, &t.CA}, {"--tls-cert", f.TLSCert, &t.Certificate}, {"--tls-key", f.TLSKey, &t.Key}} {
		text, err := pemFile(file.flag, file.path, read)
		if err != nil {
			return nil, err
		}
		*file.into = text
	}
	return t, nil
}

func (f Flags) saslSettings(read ReadFile) (*kafka.SASL, error) {
	mechanism := v1alpha1.SASLMechanism(strings.ToUpper(f.SASLMechanism))
	switch mechanism {
	case v1alpha1.SASLPlain, v1alpha1.SASLScramSHA256, v1alpha1.SASLScramSHA512:
	case "":
		return nil, errors.New("--sasl-mechanism is missing; want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	default:
		return nil, fmt.Errorf("--sasl-mechanism: %q is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; OAUTHBEARER goes with --command-config, AWS_MSK_IAM with --cluster", f.SASLMechanism)
	}
	if f.SASLUser == "" || f.SASLPasswordFile == "" {
		return nil, errors.New("--sasl-mechanism needs --sasl-user and --sasl-password-file")
	}
	password, err := read(f.SASLPasswordFile)
	if err != nil {
		return nil, fmt.Errorf("--sasl-password-file: %w", err)
	}
	password = bytes.TrimRight(password, "\r\n")
	if len(password) == 0 {
		return nil, fmt.Errorf("--sasl-password-file: %s is empty", f.SASLPasswordFile)
	}
	return &kafka.SASL{Mechanism: string(mechanism), Values: map[string]string{
		v1alpha1.SecretKeyUsername: f.SASLUser, v1alpha1.SecretKeyPassword: string(password),
	}}, nil
}

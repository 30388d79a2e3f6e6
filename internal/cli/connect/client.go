package connect

import (
	"bytes"
	"fmt"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// ReadFile reads a file whole.
type ReadFile func(path string) ([]byte, error)

// FromProperties are the settings that the properties of a Java client give. What Mooring cannot do as the properties say is
// an error, and never left out in silence.
func FromProperties(p map[string]string, read ReadFile) (kafka.Settings, error) {
	var s kafka.Settings
	if p["config.providers"] != "" {
		return s, fmt.Errorf("config.providers: values from elsewhere cannot be looked up; write them into the file, or use the flags")
	}
	for server := range strings.SplitSeq(p["bootstrap.servers"], ",") {
		if server = strings.TrimSpace(server); server != "" {
			s.BootstrapServers = append(s.BootstrapServers, server)
		}
	}
	protocol := strings.ToUpper(strings.TrimSpace(p["security.protocol"]))
	var tls, sasl bool
	switch protocol {
	case "", "PLAINTEXT":
	case "SSL":
		tls = true
	case "SASL_PLAINTEXT":
		sasl = true
	case "SASL_SSL":
		tls, sasl = true, true
	default:
		return s, fmt.Errorf("security.protocol: %q is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL", protocol)
	}
	var err error
	if tls {
		if s.TLS, err = tlsFromProperties(p, read); err != nil {
			return s, err
		}
	}
	if sasl {
		if s.SASL, err = saslFromProperties(p); err != nil {
			return s, err
		}
	}
	return s, nil
}

func tlsFromProperties(p map[string]string, read ReadFile) (*kafka.TLS, error) {
	if algorithm, set := p["ssl.endpoint.identification.algorithm"]; set && !strings.EqualFold(algorithm, "https") {
		return nil, fmt.Errorf("ssl.endpoint.identification.algorithm: the names in the brokers' certificates are always verified; remove it")
	}
	t := new(kafka.TLS)
	var err error
	if text := p["ssl.truststore.certificates"]; text != "" {
		t.CA = []byte(text)
	} else if t.CA, err = pemFile("ssl.truststore.location", p["ssl.truststore.location"], read); err != nil {
		return nil, err
	}
	if chain, key := p["ssl.keystore.certificate.chain"], p["ssl.keystore.key"]; chain != "" || key != "" {
		t.Certificate, t.Key = []byte(chain), []byte(key)
	} else if path := p["ssl.keystore.location"]; path != "" {
		if t.Certificate, err = pemFile("ssl.keystore.location", path, read); err != nil {
			return nil, err
		}
		t.Key = t.Certificate // one file has both
	}
	if bytes.Contains(t.Key, []byte("ENCRYPTED PRIVATE KEY")) {
		return nil, fmt.Errorf("ssl.keystore: the private key is encrypted, and Mooring takes keys without a password; decrypt it with openssl pkcs8 -in KEY -out PLAIN")
	}
	return t, nil
}

// pemFile reads a store. Java's own formats are told apart by their content, because ssl.*.type is often left out.
func pemFile(property, path string, read ReadFile) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", property, err)
	}
	if !bytes.Contains(text, []byte("-----BEGIN ")) {
		return nil, fmt.Errorf("%s: %s is not in PEM format, the only one that Mooring reads; convert a JKS or PKCS12 store with keytool -importkeystore -deststoretype PKCS12 and openssl pkcs12 -nodes", property, path)
	}
	return text, nil
}

// loginModules says which login module belongs to which mechanisms.
var loginModules = map[v1alpha1.SASLMechanism]string{
	v1alpha1.SASLPlain:       "PlainLoginModule",
	v1alpha1.SASLScramSHA256: "ScramLoginModule",
	v1alpha1.SASLScramSHA512: "ScramLoginModule",
	v1alpha1.SASLOAuthBearer: "OAuthBearerLoginModule",
}

func saslFromProperties(p map[string]string) (*kafka.SASL, error) {
	mechanism := v1alpha1.SASLMechanism(strings.ToUpper(strings.TrimSpace(p["sasl.mechanism"])))
	module, known := loginModules[mechanism]
	if mechanism == "" {
		return nil, fmt.Errorf("sasl.mechanism is missing; set it to PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER (Java's default, GSSAPI, is not among what Mooring speaks)")
	}
	if !known {
		return nil, fmt.Errorf("sasl.mechanism: %q is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, which are those that a properties file can give Mooring", mechanism)
	}
	if strings.TrimSpace(p["sasl.jaas.config"]) == "" {
		return nil, fmt.Errorf("sasl.jaas.config is missing; the credentials for %s are there", mechanism)
	}
	l, err := parseJAAS(p["sasl.jaas.config"])
	if err != nil {
		return nil, fmt.Errorf("sasl.jaas.config: %w", err)
	}
	if !strings.HasSuffix(l.module, "."+module) {
		return nil, fmt.Errorf("sasl.jaas.config: the login module %s does not go with sasl.mechanism %s; want one that ends in .%s", l.module, mechanism, module)
	}
	s := &kafka.SASL{Mechanism: string(mechanism), Values: make(map[string]string)}
	wanted := map[string]string{"username": v1alpha1.SecretKeyUsername, "password": v1alpha1.SecretKeyPassword}
	if mechanism == v1alpha1.SASLOAuthBearer {
		wanted = map[string]string{"clientId": v1alpha1.SecretKeyClientID, "clientSecret": v1alpha1.SecretKeyClientSecret}
		endpoint := p["sasl.oauthbearer.token.endpoint.url"]
		if endpoint == "" {
			return nil, fmt.Errorf("sasl.oauthbearer.token.endpoint.url is missing; tokens are fetched there")
		}
		s.Values[v1alpha1.SecretKeyTokenURL], s.Values[v1alpha1.SecretKeyScope] = endpoint, l.options["scope"]
	}
	for _, option := range []string{"username", "password", "clientId", "clientSecret"} {
		key, is := wanted[option]
		if !is {
			continue
		}
		if l.options[option] == "" {
			return nil, fmt.Errorf("sasl.jaas.config: the option %s is missing or empty", option)
		}
		s.Values[key] = l.options[option]
	}
	return s, nil
}

package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"mooring.dev/mooring/api/v1alpha1"
)

// SecretsOf names the Secrets that a KafkaCluster reads, in the operator's namespace.
func SecretsOf(spec *v1alpha1.KafkaClusterSpec) []string {
	var names []string
	if spec.TLS != nil && spec.TLS.CABundleRef != nil {
		names = append(names, spec.TLS.CABundleRef.Name)
	}
	if spec.TLS != nil && spec.TLS.ClientCertificateRef != nil {
		names = append(names, spec.TLS.ClientCertificateRef.Name)
	}
	if spec.SASL != nil {
		names = append(names, spec.SASL.CredentialsRef.Name)
	}
	if spec.SchemaRegistry != nil && spec.SchemaRegistry.CABundleRef != nil {
		names = append(names, spec.SchemaRegistry.CABundleRef.Name)
	}
	return names
}

// Secrets is the data of the Secrets that were found, by name.
type Secrets map[string]map[string][]byte

// value is one key of a Secret, or a sentence that says what is missing and where.
func (d Secrets) value(namespace, name, key string) ([]byte, error) {
	secret, ok := d[name]
	if !ok {
		return nil, fmt.Errorf("there is no Secret %s/%s; create it in the operator's namespace, with the key %q", namespace, name, key)
	}
	value := secret[key]
	if len(value) == 0 {
		return nil, fmt.Errorf("Secret %s/%s has no key %q, or it is empty", namespace, name, key)
	}
	return value, nil
}

// SettingsFrom reads a KafkaCluster and its Secrets. The error is a sentence for the condition SecretInvalid.
func SettingsFrom(cluster *v1alpha1.KafkaCluster, namespace string, secrets Secrets) (Settings, error) {
	s := Settings{BootstrapServers: cluster.Spec.BootstrapServers, ExpectedClusterID: ExpectedID(cluster)}
	if interval := cluster.Spec.Drift.Interval; interval != nil {
		s.Interval = max(interval.Duration, time.Second)
	}
	var err error
	if cluster.Spec.TLS != nil {
		if s.TLS, err = tlsFrom(cluster.Spec.TLS, namespace, secrets); err != nil {
			return Settings{}, err
		}
	}
	if cluster.Spec.SASL != nil {
		if s.SASL, err = saslFrom(cluster.Spec.SASL, namespace, secrets); err != nil {
			return Settings{}, err
		}
	}
	return s, nil
}

// ExpectedID is the only cluster that may answer; empty when nobody knows yet.
func ExpectedID(cluster *v1alpha1.KafkaCluster) string {
	if cluster.Spec.AcceptClusterID != "" {
		return cluster.Spec.AcceptClusterID
	}
	return cluster.Status.ClusterID
}

func tlsFrom(spec *v1alpha1.KafkaClusterTLS, namespace string, secrets Secrets) (*TLS, error) {
	t := &TLS{ServerName: spec.ServerName}
	var err error
	if ref := spec.CABundleRef; ref != nil {
		if t.CA, err = secrets.value(namespace, ref.Name, ref.Key); err != nil {
			return nil, fmt.Errorf("spec.tls.caBundleRef: %w", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(t.CA) {
			return nil, fmt.Errorf("spec.tls.caBundleRef: the key %q of Secret %s/%s holds no PEM certificate", ref.Key, namespace, ref.Name)
		}
	}
	if ref := spec.ClientCertificateRef; ref != nil {
		if t.Certificate, err = secrets.value(namespace, ref.Name, "tls.crt"); err != nil {
			return nil, fmt.Errorf("spec.tls.clientCertificateRef: %w", err)
		}
		if t.Key, err = secrets.value(namespace, ref.Name, "tls.key"); err != nil {
			return nil, fmt.Errorf("spec.tls.clientCertificateRef: %w", err)
		}
		if _, err := tls.X509KeyPair(t.Certificate, t.Key); err != nil {
			return nil, fmt.Errorf("spec.tls.clientCertificateRef: tls.crt and tls.key of Secret %s/%s do not make a pair: %w", namespace, ref.Name, err)
		}
	}
	return t, nil
}

func saslFrom(spec *v1alpha1.KafkaClusterSASL, namespace string, secrets Secrets) (*SASL, error) {
	s := &SASL{Mechanism: string(spec.Mechanism), Values: make(map[string]string)}
	required := []string{v1alpha1.SecretKeyUsername, v1alpha1.SecretKeyPassword}
	switch spec.Mechanism {
	case v1alpha1.SASLOAuthBearer:
		required = []string{v1alpha1.SecretKeyClientID, v1alpha1.SecretKeyClientSecret, v1alpha1.SecretKeyTokenURL}
		if len(secrets[spec.CredentialsRef.Name][v1alpha1.SecretKeyToken]) > 0 {
			required = []string{v1alpha1.SecretKeyToken}
		}
	case v1alpha1.SASLAWSMSKIAM:
		required = []string{v1alpha1.SecretKeyAccessKeyID, v1alpha1.SecretKeySecretAccessKey}
	}
	for _, key := range required {
		value, err := secrets.value(namespace, spec.CredentialsRef.Name, key)
		if err != nil {
			return nil, fmt.Errorf("spec.sasl.credentialsRef (mechanism %s): %w", spec.Mechanism, err)
		}
		s.Values[key] = string(value)
	}
	for _, key := range []string{v1alpha1.SecretKeyScope, v1alpha1.SecretKeySessionToken} {
		if value := secrets[spec.CredentialsRef.Name][key]; len(value) > 0 {
			s.Values[key] = string(value)
		}
	}
	return s, nil
}

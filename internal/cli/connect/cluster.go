package connect

import (
	"fmt"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// Secrets is the data of the Secrets that were found, by name.
type Secrets map[string]map[string][]byte

// SecretsOf names the Secrets that a KafkaCluster refers to.
func SecretsOf(spec *v1alpha1.KafkaClusterSpec) []string {
	var names []string
	if t := spec.TLS; t != nil {
		if t.CABundleRef != nil {
			names = append(names, t.CABundleRef.Name)
		}
		if t.ClientCertificateRef != nil {
			names = append(names, t.ClientCertificateRef.Name)
		}
	}
	if spec.SASL != nil {
		names = append(names, spec.SASL.CredentialsRef.Name)
	}
	return names
}

// FromCluster are the settings that a KafkaCluster and its Secrets give, as the operator takes them.
func FromCluster(cluster *v1alpha1.KafkaCluster, namespace string, secrets Secrets) (kafka.Settings, error) {
	s := kafka.Settings{BootstrapServers: cluster.Spec.BootstrapServers, ExpectedClusterID: ExpectedID(cluster)}
	if t := cluster.Spec.TLS; t != nil {
		s.TLS = &kafka.TLS{ServerName: t.ServerName}
		var err error
		if ref := t.CABundleRef; ref != nil {
			if s.TLS.CA, err = secrets.value("tls.caBundleRef", namespace, ref.Name, ref.Key); err != nil {
				return kafka.Settings{}, err
			}
		}
		if ref := t.ClientCertificateRef; ref != nil {
			if s.TLS.Certificate, err = secrets.value("tls.clientCertificateRef", namespace, ref.Name, "tls.crt"); err != nil {
				return kafka.Settings{}, err
			}
			if s.TLS.Key, err = secrets.value("tls.clientCertificateRef", namespace, ref.Name, "tls.key"); err != nil {
				return kafka.Settings{}, err
			}
		}
	}
	if spec := cluster.Spec.SASL; spec != nil {
		s.SASL = &kafka.SASL{Mechanism: string(spec.Mechanism), Values: make(map[string]string)}
		name := spec.CredentialsRef.Name
		for _, key := range requiredKeys(spec.Mechanism, secrets[name]) {
			value, err := secrets.value("sasl.credentialsRef", namespace, name, key)
			if err != nil {
				return kafka.Settings{}, err
			}
			s.SASL.Values[key] = string(value)
		}
		for _, key := range []string{v1alpha1.SecretKeyScope, v1alpha1.SecretKeySessionToken} {
			if value := secrets[name][key]; len(value) > 0 {
				s.SASL.Values[key] = string(value)
			}
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

func requiredKeys(mechanism v1alpha1.SASLMechanism, secret map[string][]byte) []string {
	switch mechanism {
	case v1alpha1.SASLOAuthBearer:
		if len(secret[v1alpha1.SecretKeyToken]) > 0 {
			return []string{v1alpha1.SecretKeyToken}
		}
		return []string{v1alpha1.SecretKeyClientID, v1alpha1.SecretKeyClientSecret, v1alpha1.SecretKeyTokenURL}
	case v1alpha1.SASLAWSMSKIAM:
		return []string{v1alpha1.SecretKeyAccessKeyID, v1alpha1.SecretKeySecretAccessKey}
	}
	return []string{v1alpha1.SecretKeyUsername, v1alpha1.SecretKeyPassword}
}

func (d Secrets) value(field, namespace, name, key string) ([]byte, error) {
	secret, ok := d[name]
	if !ok {
		return nil, fmt.Errorf("spec.%s: there is no Secret %s/%s; name the operator's namespace with --secrets-namespace, or give the connection with flags", field, namespace, name)
	}
	if len(secret[key]) == 0 {
		return nil, fmt.Errorf("spec.%s: Secret %s/%s has no key %q, or it is empty", field, namespace, name, key)
	}
	return secret[key], nil
}

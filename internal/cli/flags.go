package cli

import (
	"time"

	"github.com/spf13/pflag"

	"mooring.dev/mooring/internal/cli/connect"
)

// target says which clusters a command talks to.
type target struct {
	connect.Flags
	// Cluster is the name of a KafkaCluster in the Kubernetes cluster.
	Cluster string
	Kube    kubeFlags
	Timeout time.Duration
}

// kubeFlags say which Kubernetes cluster, and where in it.
type kubeFlags struct {
	Kubeconfig, Context string
	// Namespace of manifests that name none.
	Namespace string
	// SecretsNamespace is the operator's.
	SecretsNamespace string
}

const defaultTimeout = time.Minute

func (t *target) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&t.BootstrapServers, "bootstrap-servers", nil, "addresses of the Kafka cluster, host:port,...; no Kubernetes cluster is needed then")
	flags.StringVar(&t.Cluster, "cluster", "", "name of the KafkaCluster, in the current kube context, that says how to reach Kafka; with --bootstrap-servers, these replace its addresses")
	flags.StringVar(&t.CommandConfig, "command-config", "", "properties file of a Java client, as kafka-topics takes it: security.protocol, sasl.*, ssl.* with PEM stores")
	flags.BoolVar(&t.TLS, "tls", false, "use TLS, with the system's authorities unless --tls-ca names others")
	flags.StringVar(&t.TLSCA, "tls-ca", "", "PEM file with the authorities to trust")
	flags.StringVar(&t.TLSCert, "tls-cert", "", "PEM file with the client certificate, for mutual TLS")
	flags.StringVar(&t.TLSKey, "tls-key", "", "PEM file with the key of the client certificate")
	flags.StringVar(&t.TLSServerName, "tls-server-name", "", "name to verify in the brokers' certificates instead of the host that is dialled")
	flags.StringVar(&t.SASLMechanism, "sasl-mechanism", "", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	flags.StringVar(&t.SASLUser, "sasl-user", "", "user name")
	flags.StringVar(&t.SASLPasswordFile, "sasl-password-file", "", "file with the password")
	flags.StringVar(&t.Kube.Kubeconfig, "kubeconfig", "", "path of the kubeconfig file")
	flags.StringVar(&t.Kube.Context, "context", "", "kube context")
	flags.StringVarP(&t.Kube.Namespace, "namespace", "n", "", "namespace of manifests that name none")
	flags.StringVar(&t.Kube.SecretsNamespace, "secrets-namespace", "mooring-system", "the operator's namespace, where a KafkaCluster's Secrets are")
	flags.DurationVar(&t.Timeout, "timeout", defaultTimeout, "how long the clusters may take to answer, all in all")
}

// offline says that no Kubernetes cluster is asked.
func (t *target) offline() bool {
	return t.Cluster == "" && (len(t.BootstrapServers) > 0 || t.Security())
}

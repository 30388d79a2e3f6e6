package local

// Listener names one of the ways into a node, as server.properties spells it.
type Listener string

// The listeners of every Apache Kafka node. An embedded node has ListenerPlaintext only.
const (
	// ListenerController is the KRaft quorum's own.
	ListenerController Listener = "CONTROLLER"
	// ListenerPlaintext neither encrypts nor authenticates: clients are User:ANONYMOUS. Brokers talk to each other here.
	ListenerPlaintext Listener = "PLAINTEXT"
	// ListenerTLS encrypts and asks for no client certificate: clients are User:ANONYMOUS.
	ListenerTLS Listener = "TLS"
	// ListenerMTLS demands a client certificate of the cluster's CA: clients are User:CN=name.
	ListenerMTLS Listener = "MTLS"
	// ListenerSASLPlaintext authenticates with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, in the clear.
	ListenerSASLPlaintext Listener = "SASL_PLAINTEXT"
	// ListenerSASLSSL is ListenerSASLPlaintext over TLS.
	ListenerSASLSSL Listener = "SASL_SSL"
	// ListenerTLSWrongName is ListenerTLS with a certificate of the right CA for the wrong name (see [WrongName]).
	ListenerTLSWrongName Listener = "TLS_WRONG_NAME"
)

// WrongName is the only name in the certificate of [ListenerTLSWrongName]. A client that takes it for the server's name
// is let in; one that checks 127.0.0.1 is not.
const WrongName = "wrong-name.invalid"

type listenerKind struct {
	name     Listener
	protocol string // Kafka's security protocol
}

var listenerKinds = []listenerKind{
	{ListenerController, "PLAINTEXT"},
	{ListenerPlaintext, "PLAINTEXT"},
	{ListenerTLS, "SSL"},
	{ListenerMTLS, "SSL"},
	{ListenerSASLPlaintext, "SASL_PLAINTEXT"},
	{ListenerSASLSSL, "SASL_SSL"},
	{ListenerTLSWrongName, "SSL"},
}

// Mechanisms are the SASL mechanisms of the two SASL listeners.
var Mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}

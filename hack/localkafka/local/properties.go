package local

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// structuralProperties are what the rest of localkafka relies on (ports, folders, identity): overriding one would break
// the cluster in ways that are hard to read.
var structuralProperties = []string{
	"node.id", "process.roles", "controller.quorum.voters", "listeners", "advertised.listeners",
	"controller.listener.names", "listener.security.protocol.map", "log.dirs", "log.dir", "metadata.log.dir",
}

// properties are a node's settings by name.
type properties map[string]string

// propertiesOf is the whole of a node's server.properties.
func propertiesOf(s State, node Node) properties {
	p := properties{}
	p.addStructure(s, node)
	p.addDefaults(len(s.Nodes))
	p.addTLS(s, node)
	p.addSASL(s.Users)
	if s.Settings.Authorizer {
		p.addAuthorizer(s.Users)
	}
	p["delete.topic.enable"] = fmt.Sprint(!s.Settings.DisableTopicDeletion)
	maps.Copy(p, s.Settings.Properties)
	return p
}

func (p properties) addStructure(s State, node Node) {
	var listeners, advertised, protocols, voters []string
	for _, kind := range listenerKinds {
		protocols = append(protocols, string(kind.name)+":"+kind.protocol)
		if _, ok := node.Ports[kind.name]; !ok {
			continue
		}
		at := string(kind.name) + "://" + node.At(kind.name)
		listeners = append(listeners, at)
		advertised = append(advertised, at)
	}
	for _, n := range s.Nodes {
		if n.Controller {
			voters = append(voters, fmt.Sprintf("%d@%s", n.ID, n.At(ListenerController)))
		}
	}
	p["process.roles"] = "broker"
	if node.Controller {
		p["process.roles"] = "broker,controller"
	}
	p["node.id"] = fmt.Sprint(node.ID)
	p["broker.rack"] = node.Rack
	p["log.dirs"] = node.DataDir
	p["listeners"] = strings.Join(listeners, ",")
	p["advertised.listeners"] = strings.Join(advertised, ",")
	p["listener.security.protocol.map"] = strings.Join(protocols, ",")
	p["controller.listener.names"] = string(ListenerController)
	p["controller.quorum.voters"] = strings.Join(voters, ",")
	p["inter.broker.listener.name"] = string(ListenerPlaintext)
}

// addDefaults sets what a small, busy machine and impatient tests want. All of it can be overridden.
func (p properties) addDefaults(nodes int) {
	replicas := min(3, nodes)
	inSync := max(1, replicas-1)
	maps.Copy(p, properties{
		"auto.create.topics.enable":                        "false",
		"group.initial.rebalance.delay.ms":                 "0",
		"offsets.topic.replication.factor":                 fmt.Sprint(replicas),
		"transaction.state.log.replication.factor":         fmt.Sprint(replicas),
		"transaction.state.log.min.isr":                    fmt.Sprint(inSync),
		"share.coordinator.state.topic.replication.factor": fmt.Sprint(replicas),
		"share.coordinator.state.topic.min.isr":            fmt.Sprint(inSync),
		// Kafka's 50 partitions take the first consumer and the first transaction seconds to create here.
		"offsets.topic.num.partitions":                 "3",
		"transaction.state.log.num.partitions":         "3",
		"share.coordinator.state.topic.num.partitions": "3",
		// A killed broker is fenced, and its restart let in, when its session ends: 9 s by default.
		"broker.session.timeout.ms":    "6000",
		"broker.heartbeat.interval.ms": "1000",
		// Each listener has its own network threads, and there are many listeners and few cores.
		"num.network.threads": "2",
		"num.io.threads":      "4",
		"background.threads":  "2",
		// 128 MB of a 512 MB heap by default.
		"log.cleaner.dedupe.buffer.size": "16777216",
	})
}

func (p properties) addTLS(s State, node Node) {
	for listener, store := range map[Listener]string{
		ListenerTLS:          keystore(node),
		ListenerMTLS:         keystore(node),
		ListenerSASLSSL:      keystore(node),
		ListenerTLSWrongName: wrongKeystore(node),
	} {
		prefix := listenerPrefix(listener)
		p[prefix+"ssl.keystore.type"] = "PEM"
		p[prefix+"ssl.keystore.location"] = store
		p[prefix+"ssl.truststore.type"] = "PEM"
		p[prefix+"ssl.truststore.location"] = s.Certificates.CA
		p[prefix+"ssl.client.auth"] = "none"
	}
	p[listenerPrefix(ListenerMTLS)+"ssl.client.auth"] = "required"
}

const (
	oauthPackage  = "org.apache.kafka.common.security.oauthbearer."
	plainModule   = "org.apache.kafka.common.security.plain.PlainLoginModule"
	scramModule   = "org.apache.kafka.common.security.scram.ScramLoginModule"
	oauthModule   = oauthPackage + "OAuthBearerLoginModule"
	oauthVerifier = oauthPackage + "internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler"
)

func (p properties) addSASL(users []User) {
	plain := plainModule + " required"
	for _, u := range users {
		plain += fmt.Sprintf(" user_%s=%q", u.Name, u.Password)
	}
	for _, listener := range []Listener{ListenerSASLPlaintext, ListenerSASLSSL} {
		prefix := listenerPrefix(listener)
		p[prefix+"sasl.enabled.mechanisms"] = strings.Join(Mechanisms, ",")
		p[prefix+"plain.sasl.jaas.config"] = plain + ";"
		p[prefix+"scram-sha-256.sasl.jaas.config"] = scramModule + " required;"
		p[prefix+"scram-sha-512.sasl.jaas.config"] = scramModule + " required;"
		// The login module demands a "sub" for the broker itself, although it never logs in anywhere with it.
		// The skew forgives a client whose clock is a little ahead.
		p[prefix+"oauthbearer.sasl.jaas.config"] = oauthModule +
			` required unsecuredLoginStringClaim_sub="broker" unsecuredValidatorAllowableClockSkewMs="3000";`
		p[prefix+"oauthbearer.sasl.server.callback.handler.class"] = oauthVerifier
	}
}

func (p properties) addAuthorizer(users []User) {
	// Brokers and controllers talk to each other in the clear, so that ANONYMOUS must be a super user.
	super := []string{"User:ANONYMOUS"}
	for _, u := range users {
		if u.Super {
			super = append(super, u.Principal, "User:CN="+u.Name)
		}
	}
	p["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
	p["allow.everyone.if.no.acl.found"] = "false"
	p["super.users"] = strings.Join(super, ";")
}

func listenerPrefix(l Listener) string {
	return "listener.name." + strings.ToLower(string(l)) + "."
}

// Render writes the settings in the format of java.util.Properties, sorted, so that equal settings are equal files.
func (p properties) Render() []byte {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		b.WriteString(name + "=" + escapeValue(p[name]) + "\n")
	}
	return []byte(b.String())
}

// escapeValue keeps Java from reading a backslash, a line's end or a leading space as its own syntax.
func escapeValue(v string) string {
	v = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(v)
	if strings.HasPrefix(v, " ") {
		v = `\` + v
	}
	return v
}

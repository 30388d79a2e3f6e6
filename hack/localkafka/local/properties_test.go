package local

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testState is a planned cluster with known ports: node 1 has 1000 up, node 2 has 2000 up, in the listeners' order.
func testState(t *testing.T, settings Settings) State {
	t.Helper()
	cfg, err := fromConfig(Config{Dir: "/cluster", Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newState(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range s.Nodes {
		for k, kind := range listenerKinds {
			if _, ok := n.Ports[kind.name]; ok {
				n.Ports[kind.name] = int(n.ID)*1000 + k
			}
		}
	}
	s.Bootstrap = bootstrapFrom(s.Nodes)
	return s
}

func TestPropertiesOfThreeNodes(t *testing.T) {
	s := testState(t, Settings{})
	p := propertiesOf(s, s.Nodes[1])
	for name, want := range map[string]string{
		"node.id":                                               "2",
		"process.roles":                                         "broker,controller",
		"broker.rack":                                           "rack-b",
		"log.dirs":                                              "/cluster/node-2/data",
		"controller.quorum.voters":                              "1@127.0.0.1:1000,2@127.0.0.1:2000,3@127.0.0.1:3000",
		"offsets.topic.replication.factor":                      "3",
		"transaction.state.log.min.isr":                         "2",
		"auto.create.topics.enable":                             "false",
		"delete.topic.enable":                                   "true",
		"authorizer.class.name":                                 "",
		"listener.name.mtls.ssl.client.auth":                    "required",
		"listener.name.tls.ssl.client.auth":                     "none",
		"listener.name.tls.ssl.keystore.location":               "/cluster/node-2/keystore.pem",
		"listener.name.tls_wrong_name.ssl.keystore.location":    "/cluster/node-2/keystore-wrong-name.pem",
		"listener.name.sasl_ssl.sasl.enabled.mechanisms":        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		"listener.name.sasl_plaintext.plain.sasl.jaas.config":   plainModule + ` required user_admin="admin-secret" user_limited="limited-secret";`,
		"listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": scramModule + " required;",
		"advertised.listeners": "CONTROLLER://127.0.0.1:2000,PLAINTEXT://127.0.0.1:2001,TLS://127.0.0.1:2002,MTLS://127.0.0.1:2003," +
			"SASL_PLAINTEXT://127.0.0.1:2004,SASL_SSL://127.0.0.1:2005,TLS_WRONG_NAME://127.0.0.1:2006",
	} {
		if p[name] != want {
			t.Errorf("%s is %q, want %q", name, p[name], want)
		}
	}
}

func TestPropertiesListenOnLoopbackOnly(t *testing.T) {
	s := testState(t, Settings{Brokers: 4})
	address := regexp.MustCompile(`://([^:,]*):`)
	for _, n := range s.Nodes {
		for _, m := range address.FindAllStringSubmatch(propertiesOf(s, n)["listeners"], -1) {
			if m[1] != "127.0.0.1" {
				t.Errorf("node %d listens on %q, want 127.0.0.1 only", n.ID, m[1])
			}
		}
	}
}

func TestPropertiesFollowTheNumberOfNodes(t *testing.T) {
	for _, tt := range []struct {
		reason                          string
		brokers                         int
		voters, replicas, inSync, roles string // roles are the last node's
	}{
		{"one node can't wait for another", 1, "1@127.0.0.1:1000", "1", "1", "broker,controller"},
		{"a quorum of two would be ended by either", 2, "1@127.0.0.1:1000", "2", "1", "broker"},
		{"more than three voters only cost", 4, "1@127.0.0.1:1000,2@127.0.0.1:2000,3@127.0.0.1:3000", "3", "2", "broker"},
	} {
		s := testState(t, Settings{Brokers: tt.brokers})
		last := s.Nodes[tt.brokers-1]
		p := propertiesOf(s, last)
		got := []string{p["controller.quorum.voters"], p["offsets.topic.replication.factor"], p["transaction.state.log.min.isr"], p["process.roles"]}
		if diff := cmp.Diff([]string{tt.voters, tt.replicas, tt.inSync, tt.roles}, got); diff != "" {
			t.Errorf("%d brokers (%s): -want +got\n%s", tt.brokers, tt.reason, diff)
		}
		if hears := strings.Contains(p["listeners"], "CONTROLLER://"); hears != last.Controller {
			t.Errorf("%d brokers: the last node has a controller listener: %v, want %v", tt.brokers, hears, last.Controller)
		}
	}
}

func TestPropertiesOptions(t *testing.T) {
	s := testState(t, Settings{
		Authorizer:           true,
		DisableTopicDeletion: true,
		Racks:                []string{"x", "y"},
		Properties:           map[string]string{"broker.session.timeout.ms": "9000", "message.max.bytes": "5"},
	})
	p := propertiesOf(s, s.Nodes[2])
	for name, want := range map[string]string{
		"broker.rack":                    "x",
		"delete.topic.enable":            "false",
		"allow.everyone.if.no.acl.found": "false",
		"super.users":                    "User:ANONYMOUS;User:admin;User:CN=admin",
		"broker.session.timeout.ms":      "9000",
		"message.max.bytes":              "5",
	} {
		if p[name] != want {
			t.Errorf("%s is %q, want %q", name, p[name], want)
		}
	}
}

func TestRender(t *testing.T) {
	got := string(properties{"b": `C:\x`, "a": " lead", "c": "two\nlines"}.Render())
	want := "a=\\ lead\nb=C:\\\\x\nc=two\\nlines\n"
	if got != want {
		t.Errorf("rendered %q, want %q", got, want)
	}
}

func TestPOMHasTheSameKafka(t *testing.T) {
	if !bytes.Contains(pom, []byte("<kafka.version>"+KafkaVersion+"</kafka.version>")) {
		t.Errorf("pom.xml does not fetch Kafka %s, which KafkaVersion promises", KafkaVersion)
	}
}

//go:build conformance && kafka

package conformance

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"mooring.dev/mooring/test/shim/rig"
)

// httpClient was written for another server, and is not modified.
type httpClient struct {
	name string
	run  func(t *testing.T, url, topic string) done
	// want are a record's key and value, by its number.
	want func(n int) (key, value string)
}

const httpRecords = 50

const pythonRESTClients = "nlp-kafka-rest-api==1.0.0 kafka-bridge-client==0.7.1 requests==2.32.5 aiohttp==3.13.2"

var httpClients = []httpClient{
	// Confluent's own, for Node.js; it speaks version 1.
	{"kafka-rest", restThroughShim("binary"), func(n int) (string, string) { return fmt.Sprintf("key-%d", n), fmt.Sprintf("record-%d", n) }},
	{"nlp-kafka-rest-api", pythonRESTThroughShim("nlp-kafka-rest-api"), func(n int) (string, string) {
		return fmt.Sprintf(`"key-%d"`, n), fmt.Sprintf(`{"endpoint": "orders", "payload": "record-%d"}`, n)
	}},
	// Strimzi's Bridge; every other record in binary.
	{"kafka-bridge-client", pythonRESTThroughShim("kafka-bridge-client"), func(n int) (string, string) {
		if n%2 == 1 {
			return fmt.Sprintf("key-%d", n), fmt.Sprintf("record-%d", n)
		}
		return fmt.Sprintf(`"key-%d"`, n), fmt.Sprintf(`"record-%d"`, n)
	}},
}

func restThroughShim(format string) func(t *testing.T, url, topic string) done {
	return func(t *testing.T, url, topic string) done {
		node, dir, err := rig.Node(t.Context(), "kafka-rest@0.0.5")
		have(t, err)
		cmd := exec.Command(node, writeSource(t, "kafka-rest.js"), url, topic, fmt.Sprint(httpRecords), format)
		cmd.Dir = dir
		return told(t, cmd)
	}
}

func pythonRESTThroughShim(client string) func(t *testing.T, url, topic string) done {
	return func(t *testing.T, url, topic string) done {
		python, err := rig.Python(t.Context(), strings.ReplaceAll(pythonRESTClients, " ", "\n"))
		have(t, err)
		return told(t, exec.Command(python, writeSource(t, "clients.py"), url, topic, fmt.Sprint(httpRecords), client))
	}
}

// runClients, and say how many records they wrote; asked counts the clients that could be had here.
func (h httpShim) runClients(t *testing.T, asked *int) (records int) {
	for _, c := range httpClients {
		t.Run(c.name, func(t *testing.T) {
			topic, begin := h.topic(t, c.name), time.Now()
			d := c.run(t, h.url, topic)
			var want []string
			for n := range httpRecords {
				key, value := c.want(n)
				want = append(want, fmt.Sprintf("%q = %q", key, value))
			}
			h.expect(t, topic, want)
			*asked++
			records += d.Produced
			say("  over HTTP, %s: %s: %d records; %s (%.1f s)", h.up, c.name, d.Produced, d.Admin, time.Since(begin).Seconds())
		})
	}
	return records
}

package health

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/audit"
	"mooring.dev/mooring/internal/shim/policy"
)

func get(t *testing.T, s *Status, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestPaths(t *testing.T) {
	book := &audit.Book{}
	s := &Status{Book: book, Version: "v1", Contract: func() contract.Contract {
		return contract.Contract{Profile: contract.Profile{Namespace: "shop", Name: "orders", Revision: 7}, Hash: "abc", Enforcement: contract.Enforcement{Mode: contract.Upgrade}}
	}}
	if code, _ := get(t, s, "/livez"); code != 200 {
		t.Errorf("/livez %d", code)
	}
	if code, _ := get(t, s, "/readyz"); code != 503 {
		t.Errorf("/readyz before the cluster has answered: %d", code)
	}
	s.SetReady("")
	if code, _ := get(t, s, "/readyz"); code != 200 {
		t.Errorf("/readyz %d", code)
	}
	s.SetReady("draining")
	if code, body := get(t, s, "/readyz"); code != 503 || !strings.Contains(body, "draining") {
		t.Errorf("/readyz %d %s", code, body)
	}
	c := book.Client(audit.Key{ClientID: "app \"quoted\"\n@host (github.com/segmentio/kafka-go)"})
	c.Produced(7, 0, 1)
	c.UpgradedAcks.Add(1)
	c.Rejected(policy.Topic)
	_, body := get(t, s, "/audit")
	var v View
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Clients) != 1 || !strings.HasPrefix(v.Clients[0].Library, "kafka-go") || v.Clients[0].Seen.Acks["0"] != 1 || v.Clients[0].Done.UpgradedAcks != 1 || len(v.Clients[0].Findings) != 1 {
		t.Errorf("%s", body)
	}
	s.AlsoMetrics(func(w io.Writer) { io.WriteString(w, "mooring_shim_http_requests_total 3\n") }) //nolint:errcheck // a recorder takes all
	_, body = get(t, s, "/metrics")
	for _, want := range []string{
		"\nmooring_shim_http_requests_total 3\n",
		`mooring_shim_contract_info{profile="shop/orders",hash="abc",mode="Upgrade",guarantee=""} 7`,
		`client_id="app \"quoted\"\n@host (github.com/segmentio/kafka-go)"`,
		`reason="topic"} 1`,
		"mooring_shim_produce_seconds_count 0",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics has no %s in\n%s", want, body)
		}
	}
}

func TestClientsAreBounded(t *testing.T) {
	book := &audit.Book{}
	for i := range 1000 {
		book.Client(audit.Key{ClientID: strings.Repeat("x", i)}).Requests.Add(1)
	}
	if n := len(book.Clients()); n > 65 {
		t.Errorf("%d clients have metrics of their own", n)
	}
	total := int64(0)
	for _, v := range book.Clients() {
		total += v.Seen.Requests
	}
	if total != 1000 {
		t.Errorf("%d of 1000 requests are counted", total)
	}
}

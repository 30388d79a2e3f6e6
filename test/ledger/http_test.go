//go:build kafka

package main

import (
	"fmt"
	"net/http"
	"testing"
)

// Over HTTP, in the three dialects: what was acknowledged is there, once and in order, and what was not at most once, while brokers
// break, leaders move, the shim is restarted under load, and clients close their connections before they have an answer. With an
// Idempotency-Key, and repeats until there is an answer, each record is there once. The long run is make ledger CLIENTS=http.
func TestLedgerOverHTTP(t *testing.T) {
	r, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	one, err := r.runHTTP(t.Context(), plan{clients: httpClients, records: 10_000, faults: 4, partitions: 3, seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("conformance " + one.line())
	for _, w := range one.wrongs() {
		t.Error(w)
	}
	for _, e := range one.examples {
		t.Log(e)
	}
	if one.restarts == 0 {
		t.Error("the shim was not restarted")
	}
	if one.total().failed == 0 {
		t.Error("no request was in doubt: the clients had too much patience to show anything")
	}
}

// What an answer says of each record.
func TestOutcomesOfAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		dialect, answer string
		status          int
		acknowledged    int
		whole, refused  bool
	}{
		"raw":                         {"raw", `{"offset":1}`, 200, 2, false, false},
		"v2, one of two":              {"v2", `{"offsets":[{"offset":1,"error_code":null},{"error_code":50003,"error":"x"}]}`, 200, 1, false, false},
		"v2, too few":                 {"v2", `{"offsets":[]}`, 200, 0, true, true},
		"v3, one of two":              {"v3", `{"error_code":200}{"error_code":503}`, 200, 1, false, false},
		"v3, cut off after the first": {"v3", `{"error_code":200}{"err`, 200, 1, false, false},
		"away":                        {"v2", `{}`, http.StatusServiceUnavailable, 0, true, false},
		"full":                        {"raw", ``, http.StatusTooManyRequests, 0, true, false},
		"wrong":                       {"raw", ``, http.StatusBadRequest, 0, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			outcomes, err := outcomesOf(tt.dialect, tt.status, []byte(tt.answer), 2)
			acknowledged := 0
			for _, o := range outcomes {
				if o == nil {
					acknowledged++
				}
			}
			_, wrong := err.(refused)
			if (err != nil) != tt.whole || wrong != tt.refused || acknowledged != tt.acknowledged {
				t.Errorf("%d acknowledged of %v, %v", acknowledged, outcomes, err)
			}
		})
	}
}

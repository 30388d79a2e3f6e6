package outcome_test

import (
	"errors"
	"testing"
	"time"

	"mooring.dev/mooring/internal/outcome"
)

func TestResult(t *testing.T) {
	broken, unwritten := errors.New("broken"), errors.New("status not written")
	tests := map[string]struct {
		reason  string
		outcome outcome.Outcome
		after   time.Duration
		err     error
	}{
		"done":                          {"a watch brings it back", outcome.Done(), 0, nil},
		"wait":                          {"look again after a while", outcome.Wait(time.Minute), time.Minute, nil},
		"refuse":                        {"what a broker refuses can change without an event", outcome.Refuse(time.Hour), time.Hour, nil},
		"refuse for good":               {"only the manifest can change it", outcome.Refuse(0), 0, nil},
		"retry":                         {"the rate limiter says when", outcome.Retry(broken), 0, broken},
		"done, but":                     {"what was not written has to be", outcome.Done().Or(unwritten), 0, unwritten},
		"wait, but":                     {"the error is sooner", outcome.Wait(time.Minute).Or(unwritten), 0, unwritten},
		"done, and again":               {"somebody else wants to look", outcome.Done().Within(time.Second), time.Second, nil},
		"wait, and sooner":              {"the earlier of two", outcome.Wait(time.Minute).Within(time.Second), time.Second, nil},
		"wait, and later":               {"the earlier of two", outcome.Wait(time.Second).Within(time.Minute), time.Second, nil},
		"wait, and no more":             {"0 asks for nothing", outcome.Wait(time.Second).Within(0), time.Second, nil},
		"retry, and again":              {"the rate limiter says when", outcome.Retry(broken).Within(time.Second), 0, broken},
		"retry, but":                    {"the first error tells more, and a join of the two could be terminal", outcome.Retry(broken).Or(unwritten), 0, broken},
		"wait, and nothing to complain": {"no error changes nothing", outcome.Wait(time.Minute).Or(nil), time.Minute, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			result, err := tt.outcome.Result()
			if result.RequeueAfter != tt.after || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("%s: %+v, %v", tt.reason, result, err)
			}
			if err != nil && !result.IsZero() {
				t.Errorf("controller-runtime ignores a result beside an error: %+v", result)
			}
			if tt.err != nil && errors.Is(err, broken) && errors.Is(err, unwritten) {
				t.Errorf("two errors are joined: %v", err)
			}
		})
	}
}

package report

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestToWritesOneLine(t *testing.T) {
	var out strings.Builder
	To(&out)("building %s", "etcd")
	if out.String() != "localkube: building etcd\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var beats []string
		stop := Heartbeat(10*time.Second, func(elapsed time.Duration) { beats = append(beats, Seconds(elapsed)) })
		<-time.After(35 * time.Second)
		stop()
		if want := []string{"10 s", "20 s", "30 s"}; !slices.Equal(beats, want) {
			t.Errorf("want %v, got %v", want, beats)
		}
	})
}

func TestLastLines(t *testing.T) {
	tests := map[string]struct {
		text string
		n    int
		want []string
	}{
		"fewer than asked":    {"a\nb", 5, []string{"a", "b"}},
		"the last ones":       {"a\nb\nc\n", 2, []string{"b", "c"}},
		"empty lines dropped": {"a\n\n\r\nb\n\n", 2, []string{"a", "b"}},
		"nothing":             {"", 3, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := LastLines(tc.text, tc.n); !slices.Equal(got, tc.want) {
				t.Errorf("want %q, got %q", tc.want, got)
			}
		})
	}
}

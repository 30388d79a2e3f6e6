package operator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// slow is an API server that answers when it is let.
type slow struct {
	under, most atomic.Int32
	let         chan struct{}
}

func (s *slow) RoundTrip(req *http.Request) (*http.Response, error) {
	now := s.under.Add(1)
	defer s.under.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	<-s.let
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

func request(t *testing.T, ctx context.Context, method string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "https://api.example/", body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestWritesWaitForTheirTurnAndReadsDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &slow{let: make(chan struct{})}
		limited := limitWrites(server)
		var group sync.WaitGroup
		send := func(n int, method string) {
			for range n {
				group.Go(func() {
					resp, err := limited.RoundTrip(request(t, t.Context(), method, nil))
					if err != nil {
						t.Error(err)
						return
					}
					_ = resp.Body.Close()
				})
			}
		}
		send(512, http.MethodPatch)
		synctest.Wait()
		if got := server.under.Load(); got != writesAtOnce {
			t.Errorf("%d writes are under way, want %d", got, writesAtOnce)
		}
		send(10, http.MethodGet)
		synctest.Wait()
		if got := server.under.Load(); got != writesAtOnce+10 {
			t.Errorf("%d requests are under way: reads wait for writes", got)
		}
		close(server.let)
		group.Wait()
		if got := server.most.Load(); got > writesAtOnce+10 {
			t.Errorf("at most %d were under way at once", got)
		}
	})
}

// closed says whether a body was closed.
type closed struct {
	io.Reader
	is bool
}

func (c *closed) Close() error { c.is = true; return nil }

func TestAWriteThatIsGivenUpBeforeItsTurnLeaves(t *testing.T) {
	limited := &writeLimit{next: http.DefaultTransport, turns: make(chan struct{})} // no turn is free, ever
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := &closed{Reader: strings.NewReader("{}")}
	resp, err := limited.RoundTrip(request(t, ctx, http.MethodPatch, body))
	if resp != nil {
		_ = resp.Body.Close()
	}
	if resp != nil || !errors.Is(err, context.Canceled) || !body.is {
		t.Errorf("response %v, error %v, body closed %t", resp, err, body.is)
	}
}

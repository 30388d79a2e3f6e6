package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// statusListener answers /livez with a status, and tells of each question that somebody waits for.
func statusListener(t *testing.T, status *atomic.Int32, asked chan<- struct{}) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(int(status.Load()))
		select {
		case asked <- struct{}{}:
		default:
		}
	})}
	go server.Serve(l) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

func TestAwaitWaitsUntilTheShimIsAlive(t *testing.T) {
	var status atomic.Int32
	status.Store(http.StatusServiceUnavailable)
	asked := make(chan struct{})
	_, port, err := net.SplitHostPort(statusListener(t, &status, asked))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- await(t.Context(), ":"+port) }() // as injection writes the address
	for range 3 {
		<-asked
	}
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	status.Store(http.StatusOK)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAwaitOfAShimThatIsNotAliveEnds(t *testing.T) {
	var status atomic.Int32
	status.Store(http.StatusServiceUnavailable)
	address := statusListener(t, &status, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := await(ctx, address); err == nil || !strings.Contains(err.Error(), "no shim answers at http://"+address+"/livez: ") {
		t.Errorf("%v", err)
	}
}

func TestAwaitOfAnAddressThatIsNone(t *testing.T) {
	if err := await(t.Context(), "9099"); err == nil || !strings.Contains(err.Error(), `--status-listen "9099" is not host:port`) {
		t.Error(err)
	}
}

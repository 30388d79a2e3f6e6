package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// awaitLimit is how long --await waits. A shim that is not up by then will not come up by itself.
const awaitLimit = time.Minute

// await returns once another process of this program answers at its status address, which is when all of its listeners are open.
// It is the hook that keeps a pod's containers from starting before the shim listens: a probe would look once a second.
func await(ctx context.Context, statusListen string) error {
	host, port, err := net.SplitHostPort(statusListen)
	if err != nil {
		return fmt.Errorf("--status-listen %q is not host:port: %w", statusListen, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, awaitLimit)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, port) + "/livez"
	for backoff := 2 * time.Millisecond; ; backoff = min(2*backoff, 100*time.Millisecond) {
		err := alive(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no shim answers at %s: %w", url, err)
		case <-time.After(backoff):
		}
	}
}

func alive(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it says %s", response.Status)
	}
	return nil
}

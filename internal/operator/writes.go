package operator

import "net/http"

// writesAtOnce is how many writes to the API server are under way at once. It serves no more than a few dozen at a time anyway;
// the 512 workers of a thousand new topics, all at once, would each open a connection of their own before the first is there,
// and fill the queue that its priority and fairness gives us.
const writesAtOnce = 64

// limitWrites makes writes wait for their turn. Reads and watches pass.
func limitWrites(next http.RoundTripper) http.RoundTripper {
	return &writeLimit{next: next, turns: make(chan struct{}, writesAtOnce)}
}

type writeLimit struct {
	next  http.RoundTripper
	turns chan struct{}
}

// RoundTrip implements http.RoundTripper.
func (l *writeLimit) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return l.next.RoundTrip(req)
	}
	select {
	case l.turns <- struct{}{}:
		defer func() { <-l.turns }()
		return l.next.RoundTrip(req)
	case <-req.Context().Done():
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper closes the body, whatever happens
		}
		return nil, req.Context().Err()
	}
}

// WrappedRoundTripper implements net.RoundTripperWrapper, by which client-go finds what is inside.
func (l *writeLimit) WrappedRoundTripper() http.RoundTripper { return l.next }

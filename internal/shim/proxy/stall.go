package proxy

import "time"

// stall bounds how long the rest of a request may be in coming: it holds memory meanwhile.
const stall = 30 * time.Second

// stalled is what conn.slow is when the connection was ended for that.
const stalled = -1

// watch ends the connections that stall, until the server closes. It looks at each now and then: a timer for every request
// would cost more than the request.
func (s *Server) watch() {
	ticker := time.NewTicker(s.options.stall / 4)
	defer ticker.Stop()
	var seen map[*conn]waiting
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-ticker.C:
			seen = s.look(seen, now)
		}
	}
}

// waiting is what was seen of a connection within a frame: the value of conn.slow, and since when.
type waiting struct {
	slow  int64
	since time.Time
}

func (s *Server) look(before map[*conn]waiting, now time.Time) map[*conn]waiting {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seen map[*conn]waiting
	for c := range s.conns {
		w := waiting{slow: c.slow.Load(), since: now}
		if w.slow&1 == 0 || w.slow == stalled {
			continue
		}
		if was, ok := before[c]; ok && was.slow == w.slow {
			w.since = was.since
		}
		if now.Sub(w.since) >= s.options.stall && c.slow.CompareAndSwap(w.slow, stalled) {
			c.client.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // then it is closed already
			continue
		}
		if seen == nil {
			seen = make(map[*conn]waiting)
		}
		seen[c] = w
	}
	return seen
}

package proxy

import "time"

// How long a broker may take to answer a Produce before its connection is given up, and what is on it brought to whoever leads
// then: two seconds more than the request gives it, within these bounds. A broker that is frozen, or behind a network that drops
// everything, keeps its connections, and the client's own patience (30 s and more) would end first.
const (
	leastAnswer = 7 * time.Second
	mostAnswer  = 20 * time.Second
)

// deaf is how long a client may take nothing of what is written to it, if others may have to wait for it: those with the same
// client ID.
const deaf = 30 * time.Second

// answerWithin is how long the answer to a Produce is waited for.
func (s *Server) answerWithin(p *produced) time.Duration {
	if s.options.answer != 0 {
		return s.options.answer
	}
	return min(max(time.Duration(p.req.Timeout)*time.Millisecond+2*time.Second, leastAnswer), mostAnswer)
}

// watchAnswers ends connections to brokers that do not answer, and those of clients that read nothing, until the server closes.
func (s *Server) watchAnswers() {
	every := time.Second
	if s.options.answer != 0 {
		every = s.options.answer / 4
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-ticker.C:
			s.mu.Lock()
			for c := range s.conns {
				c.lookAtAnswers(now)
			}
			s.mu.Unlock()
		}
	}
}

func (c *conn) lookAtAnswers(now time.Time) {
	if !c.keeps.Load() {
		return
	}
	if since := c.writes.Load(); since != 0 && now.UnixNano()-since > int64(deaf) {
		c.client.SetWriteDeadline(time.Unix(1, 0)) //nolint:errcheck // then it is closed already
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.sent.first()
	if x == nil || x.kind != produce || !x.produce.entries || c.broken {
		return
	}
	if now.Sub(x.posted) > c.server.answerWithin(x.produce) {
		c.server.log.Warn("broker does not answer a Produce", "node", c.node, "for", now.Sub(x.posted).Round(time.Millisecond).String())
		c.up.Close()
	}
}

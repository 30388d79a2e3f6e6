package sink

import (
	"context"
	"sync"
	"time"
)

// deadlines are the contexts that end records after the delivery timeout. The client's own timeout counts from a record's
// timestamp, which a sender may set to years ago. Records that come in the same slice of time share a context, so that a record
// costs no timer.
type deadlines struct {
	mu    sync.Mutex
	ctx   context.Context
	until time.Time // of the slice
	limit time.Duration
}

// slices of time in a delivery timeout. A record may take longer than the timeout by one of them.
const slicesOfTimeout = 64

func (d *deadlines) context(limit time.Duration, now time.Time) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx == nil || now.After(d.until) || d.limit != limit {
		slice := min(limit/slicesOfTimeout, time.Second)
		d.until, d.limit = now.Add(slice), limit
		ctx, cancel := context.WithDeadline(context.Background(), d.until.Add(limit))
		context.AfterFunc(ctx, cancel)
		d.ctx = ctx
	}
	return d.ctx
}

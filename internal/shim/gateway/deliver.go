package gateway

import (
	"time"

	"mooring.dev/mooring/internal/shim/gateway/replay"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

const maxKey = replay.MaxKey

// delivery is what became of a batch.
type delivery struct {
	batch *sink.Batch
	// known are the outcomes, if they do not come from the batch: those of an earlier request with the same key.
	known []sink.Outcome
	// sent says which records were sent now; nil is all. known has the others.
	skipped  []bool
	accepted bool // async: nobody waits
}

// outcome of record i.
func (d *delivery) outcome(i int) sink.Outcome {
	if d.known != nil && (d.skipped == nil || d.skipped[i]) {
		return d.known[i]
	}
	return d.batch.Outcome(i)
}

// size is the number of records.
func (d *delivery) size() int { return len(d.batch.Records) }

// summary is how many records were written, and the first outcome that says why one was not: that of the record at fault, and
// not of those that were aborted with it.
func (d *delivery) summary() (written int, first sink.Outcome) {
	for i := range d.size() {
		o := d.outcome(i)
		switch {
		case o.Class == sink.Written:
			written++
		case first.Class == sink.Written || first.Class == sink.Aborted && o.Class != sink.Aborted:
			first = o
		}
	}
	return written, first
}

// deliver a batch: send it, and wait for the outcomes unless it is async.
func (g *Gateway) deliver(a *answer, b *sink.Batch, m mode) (*delivery, *fault) {
	if m.key != "" {
		return g.deliverOnce(a, b, m)
	}
	d := &delivery{batch: b, accepted: m.async}
	var done func()
	if m.async {
		done = func() { g.countAsync(b, nil) }
	}
	return d, g.send(d, m, done)
}

// send what is not skipped, and wait.
func (g *Gateway) send(d *delivery, m mode, done func()) *fault {
	if m.atomic {
		if refusal := g.sink.SendAtomic(d.batch, done); refusal != nil {
			return faultOfRefusal(refusal)
		}
		return nil
	}
	if refusal := g.sink.Send(d.batch, d.skipped, done); refusal != nil {
		return faultOfRefusal(refusal)
	}
	if !m.async {
		d.batch.Wait(g.sink.AnswerLimit())
	}
	return nil
}

func (g *Gateway) countAsync(b *sink.Batch, skipped []bool) {
	for i := range b.Records {
		if (skipped == nil || !skipped[i]) && b.Outcome(i).Class != sink.Written {
			g.asyncFailures.Add(1)
		}
	}
}

// deliverOnce is deliver for a request with an Idempotency-Key. A request that repeats one sends only what that one did not get
// written. Its outcome is remembered when the brokers have answered, and not when the sender was: so a repeat after a 504 waits
// for the record that is still on its way.
func (g *Gateway) deliverOnce(a *answer, b *sink.Batch, m mode) (*delivery, *fault) {
	sum := replay.SumOf(b.Topic, b.Records)
	limit := time.NewTimer(g.sink.AnswerLimit())
	defer limit.Stop()
	for {
		request, verdict := g.window.Begin(m.key, sum, len(b.Records), time.Now())
		switch verdict {
		case replay.Other:
			return nil, faultf(422, "this Idempotency-Key was used for other records; use a new one for each request")
		case replay.Busy:
			return nil, &fault{status: 429, message: "too many requests with an Idempotency-Key are on their way", retryAfter: time.Second}
		case replay.Finished:
			g.replay(a)
			return &delivery{batch: b, known: request.Outcomes(), accepted: m.async}, nil
		case replay.Running:
			select {
			case <-g.window.Done(request):
				continue
			case <-limit.C:
				return nil, faultf(504, "an earlier request with this Idempotency-Key has no answer yet; repeat it to learn what became of it")
			}
		case replay.First, replay.Again:
			return g.deliverFirst(b, m, request)
		}
	}
}

func (g *Gateway) replay(a *answer) {
	g.replayed.Add(1)
	a.w.Header()["Idempotency-Replayed"] = []string{"true"}
}

func (g *Gateway) deliverFirst(b *sink.Batch, m mode, request *replay.Request) (*delivery, *fault) {
	d := &delivery{batch: b, known: request.Outcomes(), accepted: m.async}
	if d.known != nil {
		d.skipped = make([]bool, len(d.known))
		for i, o := range d.known {
			d.skipped[i] = o.Class == sink.Written && !m.atomic
		}
	}
	if d.known != nil && m.atomic {
		d.known, d.skipped = nil, nil // all of it was aborted
	}
	done := func() {
		outcomes := make([]sink.Outcome, d.size())
		for i := range outcomes {
			outcomes[i] = d.outcome(i)
		}
		if m.async {
			g.countAsync(b, d.skipped)
		}
		g.window.Finish(request, outcomes, time.Now())
	}
	f := g.send(d, m, done)
	if f != nil {
		g.window.Forget(request, time.Now())
	}
	return d, f
}

package proxy

// queue of exchanges, first in, first out. Its memory is used again.
type queue struct {
	items []*exchange
	head  int
}

// keptQueue is how many places an empty queue keeps.
const keptQueue = 64

func (q *queue) len() int { return len(q.items) - q.head }

// first is nil when there is none.
func (q *queue) first() *exchange {
	if q.len() == 0 {
		return nil
	}
	return q.items[q.head]
}

// all that are in the queue, first to last.
func (q *queue) all() []*exchange { return q.items[q.head:] }

func (q *queue) push(x *exchange) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, x)
}

func (q *queue) pop() {
	q.items[q.head] = nil
	if q.head++; q.head < len(q.items) {
		return
	}
	if q.items, q.head = q.items[:0], 0; cap(q.items) > keptQueue {
		q.items = nil
	}
}

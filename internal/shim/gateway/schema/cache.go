package schema

import (
	"container/list"
	"sync"
	"time"
)

// Bounds of what is kept. A compiled schema takes a multiple of its text.
const (
	maxKept     = 256
	maxKeptSize = 1 << 20 // bytes of schemas' text
)

// cache of encoders, by how senders name them. The one that was not used for longest goes first.
type cache struct {
	mu    sync.Mutex
	at    map[Name]*list.Element
	order list.List // of *kept; the front was used last
	size  int
}

type kept struct {
	name    Name
	encoder *Encoder
	size    int
	until   time.Time
}

func (c *cache) get(n Name, now time.Time) *Encoder {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.at[n]
	if e == nil {
		return nil
	}
	k := e.Value.(*kept)
	if now.After(k.until) {
		c.remove(e)
		return nil
	}
	c.order.MoveToFront(e)
	return k.encoder
}

func (c *cache) put(n Name, encoder *Encoder, size int, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.at[n]; old != nil {
		c.remove(old)
	}
	if c.at == nil {
		c.at = make(map[Name]*list.Element)
	}
	c.at[n] = c.order.PushFront(&kept{n, encoder, size, until})
	c.size += size
	for c.order.Len() > maxKept || c.size > maxKeptSize && c.order.Len() > 1 {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(e *list.Element) {
	k := e.Value.(*kept)
	c.order.Remove(e)
	delete(c.at, k.name)
	c.size -= k.size
}

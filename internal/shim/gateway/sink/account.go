package sink

import (
	"sync"
	"sync/atomic"
	"time"
)

// DefaultBufferMemory is buffer.memory where the profile says nothing, in bytes; it is the Java client's.
const DefaultBufferMemory = 32 << 20

// Account of the memory that requests hold, in bytes.
type Account struct {
	limit, held atomic.Int64
	freed       atomic.Int64 // ever

	mu   sync.Mutex
	at   time.Time // of the last look at how fast memory is freed
	seen int64     // freed at that time
	rate float64   // bytes a second
}

func newAccount(limit int64) *Account {
	a := new(Account)
	a.setLimit(limit)
	return a
}

func (a *Account) setLimit(limit int64) {
	if limit <= 0 {
		limit = DefaultBufferMemory
	}
	a.limit.Store(limit)
}

// Limit in bytes.
func (a *Account) Limit() int64 { return a.limit.Load() }

// Held in bytes.
func (a *Account) Held() int64 { return a.held.Load() }

// Take n bytes; false if they do not fit now.
func (a *Account) Take(n int64) bool {
	if a.held.Add(n) > a.limit.Load() {
		a.held.Add(-n)
		return false
	}
	return true
}

// Give n bytes back.
func (a *Account) Give(n int64) {
	a.held.Add(-n)
	a.freed.Add(n)
}

// Bounds of RetryAfter.
const (
	minRetry = time.Second
	maxRetry = 30 * time.Second
)

// RetryAfter is how long it takes, at the speed at which memory has been freed lately, until n more bytes fit: a second at
// least and half a minute at most, which it also is while nothing is freed.
func (a *Account) RetryAfter(n int64, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	freed := a.freed.Load()
	if since := now.Sub(a.at); a.at.IsZero() || since > maxRetry {
		a.at, a.seen, a.rate = now, freed, 0
	} else if since >= 100*time.Millisecond {
		latest := float64(freed-a.seen) / since.Seconds()
		a.rate = (a.rate + latest) / 2
		a.at, a.seen = now, freed
	}
	over := float64(a.held.Load() + n - a.limit.Load())
	if over <= 0 {
		return minRetry
	}
	if a.rate < over/maxRetry.Seconds() {
		if freed > 0 && a.rate == 0 && a.at.Equal(now) {
			return minRetry // the first look: nothing is known yet
		}
		return maxRetry
	}
	return max(minRetry, time.Duration(over/a.rate*float64(time.Second)))
}

package codec

import (
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// MaxMemory is how much memory schemas and a value may take, in bytes. A schema that wants more ends this program before it takes
// the container's memory, and the shim with it.
const MaxMemory = 48 << 20

// watchEvery is how often the memory is looked at while there is something to do.
const watchEvery = 5 * time.Millisecond

// watch calls a function once there is more memory in use than the limit, until it is stopped.
func watch(limit uint64, tooMuch func()) (stop func()) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	var stopped atomic.Bool
	var timer *time.Timer
	ready := make(chan struct{})
	timer = time.AfterFunc(watchEvery, func() {
		<-ready
		if stopped.Load() {
			return // it was stopped while it fired, and set again since
		}
		if metrics.Read(sample); sample[0].Value.Uint64() > limit {
			tooMuch()
			return
		}
		timer.Reset(watchEvery)
	})
	close(ready)
	return func() {
		stopped.Store(true)
		timer.Stop()
	}
}

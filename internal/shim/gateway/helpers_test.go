package gateway

import (
	"context"
	"github.com/twmb/franz-go/pkg/kmsg"
	"io"
	"net"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"mooring.dev/mooring/internal/contract"
)

type contractType = contract.Contract

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// settle waits until each record that was accepted has its outcome.
func (b *bench) settle() {
	b.t.Helper()
	eventually(b.t, "all records have an outcome", func() bool { return b.Totals().Pending == 0 })
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		}
	}
}

// raw bytes on a connection whose sending side is then closed, and what comes back until the end.
func (b *bench) raw(request string) string {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		b.t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		b.t.Fatal(err)
	}
	answer, _ := io.ReadAll(conn) // a reset after the answer is an end too
	return string(answer)
}

// gate holds produce requests back until it is opened.
type gate struct {
	b       *bench
	opened  atomic.Bool
	arrived atomic.Int64
}

// hold produce requests of all brokers from now on.
func (b *bench) hold() *gate {
	g := &gate{b: b}
	b.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		if g.opened.Load() {
			return nil, nil, false
		}
		g.arrived.Add(1)
		b.cluster.SleepControl(func() {
			for !g.opened.Load() {
				runtime.Gosched()
			}
		})
		return nil, nil, false
	})
	b.t.Cleanup(g.open)
	return g
}

func (g *gate) open() { g.opened.Store(true) }

package proxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/upstream"
	"mooring.dev/mooring/internal/shim/wire"
)

// cutter cuts connections to brokers: before a request, within it, and after it, so that its answer is lost.
type cutter struct {
	mu    sync.Mutex
	rand  *rand.Rand
	odds  int // one in so many requests
	quiet atomic.Bool
	cuts  atomic.Int32
}

func (k *cutter) roll() int {
	if k.quiet.Load() {
		return -1
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rand.IntN(k.odds) != 0 {
		return -1
	}
	k.cuts.Add(1)
	return k.rand.IntN(3)
}

type cutConn struct {
	net.Conn
	*cutter
	dead atomic.Bool
	// client: the answer is not read, where otherwise it is lost on the way.
	client bool
}

func (c *cutConn) Write(p []byte) (int, error) {
	if len(p) < 8 || p[4] != 0 || p[5] != 0 { // Produce alone
		return c.Conn.Write(p)
	}
	switch c.roll() {
	case 0:
		c.Conn.Close()
		return 0, errors.New("cut before the request")
	case 1:
		n, _ := c.Conn.Write(p[:len(p)/2])
		c.Conn.Close()
		return n, errors.New("cut within the request")
	case 2:
		if c.client {
			n, err := c.Conn.Write(p)
			if err == nil && len(p)%2 == 0 { // let the answer come first
				tcp, _ := c.Conn.(*net.TCPConn).SyscallConn()
				tcp.Read(func(fd uintptr) bool { //nolint:errcheck // the connection is cut anyway
					_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
					return !errors.Is(err, syscall.EAGAIN)
				})
			}
			c.Conn.Close()
			return n, errors.New("cut before the answer")
		}
		c.dead.Store(true) // the request arrives, and no answer comes back
	}
	return c.Conn.Write(p)
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.dead.Load() && err == nil {
		c.Conn.Close()
		return 0, errors.New("cut before the answer")
	}
	return n, err
}

func cutting(odds int) (*cutter, func(*contract.Contract, *Options)) {
	k := &cutter{rand: rand.New(rand.NewPCG(1, 2)), odds: odds}
	dial := func(ctx context.Context, s upstream.Settings, address string) (*upstream.Conn, error) {
		up, err := upstream.Dial(ctx, s, address)
		if err != nil {
			return nil, err
		}
		up.Conn = &cutConn{Conn: up.Conn, cutter: k}
		up.Reader = wire.NewReader(up.Conn, wire.DefaultFrameLimit)
		return up, nil
	}
	return k, func(_ *contract.Contract, o *Options) { o.dial = dial }
}

// freezing brokers hold a Produce for a while, which goes on then as if nothing had been.
func (b *bench) freezing(k *cutter) {
	b.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		if k.roll() < 0 {
			return nil, nil, false
		}
		b.cluster.SleepControl(func() { <-time.After(50 * time.Millisecond) })
		return nil, nil, false
	})
}

// ledger is what one producer wrote, and what it was told.
type ledger struct {
	mu    sync.Mutex
	acked map[string]bool
}

// trouble is what producers of a kind go through.
type trouble struct {
	name     string
	acks     kgo.Acks
	inFlight int
	clients  bool // their connections are cut too
	shared   bool // all producers have one client ID, and brokers freeze now and then
}

func TestNothingIsLostTwiceOrOutOfOrderWhileConnectionsAreCutAndLeadersMove(t *testing.T) {
	for _, tt := range []trouble{
		{"acks=all, one in flight", kgo.AllISRAcks(), 1, false, false},
		{"acks=1, five in flight", kgo.LeaderAck(), 5, false, false},
		{"acks=1, five in flight, one client ID, and brokers that freeze", kgo.LeaderAck(), 5, false, true},
		{"acks=0", kgo.NoAck(), 5, false, false},
		{"acks=0, one client ID, and brokers that freeze", kgo.NoAck(), 5, false, true},
		{"acks=1, one in flight, and clients that lose their connections", kgo.LeaderAck(), 1, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chaos(t, tt)
		})
	}
}

func chaos(t *testing.T, tt trouble) {
	k, between := cutting(15)
	b := start(t, contract.Idempotent, contract.Upgrade, between)
	if tt.shared {
		b.freezing(k)
	}
	ctx := deadline(t)
	const producers = 4
	records := 600
	if tt.acks == kgo.NoAck() {
		records = 150 // each is a request, and most are brought to another broker
	}
	if tt.shared {
		records /= 3 // and they wait for each other
	}
	kc := &cutter{rand: rand.New(rand.NewPCG(3, 4)), odds: 20}
	kc.quiet.Store(!tt.clients)
	l := &ledger{acked: make(map[string]bool)}
	var wg sync.WaitGroup
	for p := range producers {
		id := fmt.Sprint("producer-", p)
		if tt.shared {
			id = "producer"
		}
		client := b.client(append(weak(tt.acks), kgo.MaxProduceRequestsInflightPerBroker(tt.inFlight), kgo.ClientID(id), kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }),
			kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
				return &cutConn{Conn: conn, cutter: kc, client: true}, err
			}))...)
		wg.Go(func() {
			for i := range records {
				client.Produce(ctx, &kgo.Record{Topic: "orders", Value: fmt.Appendf(nil, "%d-%d", p, i)}, func(r *kgo.Record, err error) {
					l.mu.Lock()
					defer l.mu.Unlock()
					l.acked[string(r.Value)] = err == nil
				})
				if i%4 == 0 || tt.acks == kgo.NoAck() {
					client.Flush(ctx) //nolint:errcheck // the ledger knows
				}
			}
			client.Flush(ctx) //nolint:errcheck // the ledger knows
		})
	}
	stop := b.moveLeaders()
	wg.Wait()
	if tt.acks == kgo.NoAck() { // the faults go on while the shim still delivers
		eventually(t, "what the clients sent is delivered", func() bool { return b.book.Acknowledged() >= int64(producers*records) })
	}
	moves := stop()
	k.quiet.Store(true)
	eventually(t, "everything is settled", func() bool { return b.book.Unsettled.Load() == 0 && b.book.InFlight.Load() == 0 })
	eventually(t, "all memory is given back", func() bool { return b.buffers.Held() == 0 })
	t.Logf("%d cuts at the brokers, %d at the clients, %d moves", k.cuts.Load(), kc.cuts.Load(), moves)
	if k.cuts.Load() < 5 || moves < 1 {
		t.Error("too few faults to show anything")
	}
	l.check(t, b.values("orders", 0), producers*records, tt.acks == kgo.NoAck())
	for _, v := range b.book.Clients() {
		t.Logf("%s: retries %d resends %d doubts %d unheard %d errors %v", v.ClientID, v.Done.Retries, v.Done.Resends, v.Done.Doubts, v.Done.Unheard, v.Done.Errors)
	}
}

// moveLeaders moves one until it is told to stop; then it returns how often it did.
func (b *bench) moveLeaders() func() int {
	over := make(chan struct{})
	moves := 0
	var mover sync.WaitGroup
	mover.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				moves++
				if err := b.cluster.MoveTopicPartition("orders", 0, (b.cluster.LeaderFor("orders", 0)+1)%3); err != nil {
					b.t.Error(err)
				}
			}
		}
	})
	return func() int {
		close(over)
		mover.Wait()
		return moves
	}
}

// check the log against the ledger.
func (l *ledger) check(t *testing.T, log []string, produced int, unheard bool) {
	t.Helper()
	count := make(map[string]int)
	last := make(map[string]int)
	duplicated, reordered := 0, 0
	for _, v := range log {
		count[v]++
		if count[v] > 1 {
			duplicated++
			continue
		}
		p, n, _ := strings.Cut(v, "-")
		i, _ := strconv.Atoi(n)
		if i < last[p] {
			reordered++
		}
		last[p] = i
	}
	lost, failed := 0, 0
	for v, acked := range l.acked {
		switch {
		case acked && count[v] == 0:
			lost++
		case !acked:
			failed++
		}
	}
	t.Logf("produced %d, told of %d, failed %d; log %d, lost %d, duplicated %d, reordered %d", produced, len(l.acked), failed, len(log), lost, duplicated, reordered)
	if lost > 0 || duplicated > 0 || reordered > 0 || len(l.acked) != produced {
		t.Error("the guarantee was not kept")
	}
}

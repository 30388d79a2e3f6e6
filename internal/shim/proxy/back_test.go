package proxy

import (
	"errors"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/wire"
)

// The partition goes back to a leader that the client has a connection to already: both connections have bytes that are not read,
// and each could wait for the other's.
func TestWhatWaitsGoesFirstWhenThePartitionComesBack(t *testing.T) {
	b := start(t, contract.Idempotent, contract.Upgrade)
	home := b.cluster.LeaderFor("orders", 0)
	back := b.dialLeader()
	r := wire.NewReader(back, 1<<20)
	b.send(back, 1, "0")
	b.produced(r)
	b.moveLeader()
	arrived, let := b.held(kmsg.Produce, errors.New("lost"))
	const before, after = "abcdefghijklmnopqrst", "ABCDEFGHIJ"
	requests := func(values string) (all []byte) {
		for i, v := range values {
			all = append(all, produceOne(int32(i), 1, []byte("app"), string(v))...)
		}
		return all
	}
	old := b.dialLeader()
	if _, err := old.Write(requests(before)); err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := b.cluster.MoveTopicPartition("orders", 0, home); err != nil {
		t.Fatal(err)
	}
	for _, v := range after { // one after the other: the first is read alone
		if _, err := back.Write(requests(string(v))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the first of them is read", func() bool { return b.seen() == 8 })
	b.others()
	close(let)
	for conn, n := range map[net.Conn]int{old: len(before), back: len(after)} {
		if conn == old {
			r = wire.NewReader(old, 1<<20)
		} else {
			r = wire.NewReader(back, 1<<20)
		}
		for i := range n {
			if code := b.produced(r); code != 0 {
				t.Errorf("answer %d has code %d", i, code)
			}
		}
	}
	if got := b.inLog(); got != "0"+before+after {
		t.Errorf("the log has %s", got)
	}
}

// What another request waits for came before that one, although it is read after it: else both would wait, and the wrong one be let go.
func TestWhatIsWaitedForHasItsPlaceBeforeWhoWaits(t *testing.T) {
	s := &Server{}
	c, other := &conn{server: s}, &conn{server: s}
	const waiting = 1 << 16
	s.seq.reading = []*reading{{of: c, come: 100, number: waiting}, {of: other, come: 100, number: 1}}
	p := &produced{number: 2 << 16}
	c.taken.Store(60)
	if c.numbered(p); p.number != waiting-1 {
		t.Errorf("it has number %d, and who waits for it %d", p.number, waiting)
	}
	c.taken.Store(100)
	p = &produced{number: 2 << 16}
	if c.numbered(p); p.number != 2<<16 {
		t.Errorf("what came later has number %d", p.number)
	}
}

package proxy

import (
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

func TestALineGivesTurnsInTheOrderOfReading(t *testing.T) {
	var l line
	a, b := &conn{}, &conn{}
	first, second := l.enter(a), l.enter(a)
	if first != second {
		t.Error("what comes on one connection goes without waiting")
	}
	third := l.enter(b)
	fourth := l.enter(a)
	if fourth == first {
		t.Error("what comes after another connection's batch waits for that")
	}
	if first.leave() || l.turns[0] != first {
		t.Error("one batch of the first turn is still on its way")
	}
	if !second.leave() || l.turns[0] != third {
		t.Error("it is the turn of the second connection")
	}
	if fourth.leave() || l.turns[0] != third {
		t.Error("what is given up in the middle lets nobody go before")
	}
	if third.leave() || len(l.turns) != 0 {
		t.Error("nothing is left to wait")
	}
}

// Requests enter several lines at once: whatever they are, there is always one that nobody waits for, and those of two
// connections are sent to one line in the order in which they entered it.
func TestRequestsNeverWaitForEachOther(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		steps := make([]byte, 200)
		for i := range steps {
			steps[i] = byte(r.Uint32())
		}
		enterAndLeave(t, steps)
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte{0x1f, 0x2f, 0x9f, 0x80, 0x33, 0xc0})
	f.Fuzz(enterAndLeave)
}

// enterAndLeave takes each step as a request of one of four connections to some of four lines, or, from 128 on, as the end of one
// that has its turn.
func enterAndLeave(t *testing.T, steps []byte) {
	lines := make([]line, 4)
	conns := []*conn{{}, {}, {}, {}}
	var waiting []*produced
	of := make(map[*produced]*conn)
	settle := func(choice int) {
		for k := range waiting {
			i := (choice + k) % len(waiting)
			p := waiting[i]
			if !p.next() {
				continue
			}
			for _, before := range waiting[:i] {
				for j := range p.parts {
					for k := range before.parts {
						if of[before] != of[p] && before.parts[k].line == p.parts[j].line {
							t.Fatal("a request has its turn before one that entered the line before it")
						}
					}
				}
			}
			for j := range p.parts {
				p.parts[j].turn.leave()
			}
			waiting = append(waiting[:i], waiting[i+1:]...)
			return
		}
		t.Fatalf("%d requests wait for each other", len(waiting))
	}
	for _, step := range steps {
		if step >= 128 {
			if len(waiting) > 0 {
				settle(int(step))
			}
			continue
		}
		p, c := &produced{}, conns[step>>4&3]
		for i := range lines {
			if step>>i&1 != 0 {
				p.parts = append(p.parts, part{line: &lines[i], turn: lines[i].enter(c)})
			}
		}
		of[p] = c
		waiting = append(waiting, p)
	}
	for len(waiting) > 0 {
		settle(0)
	}
	for i := range lines {
		if len(lines[i].turns) != 0 {
			t.Fatal("a line is not empty")
		}
	}
}

// How much has come on a connection is known before it is read.
func TestWhatHasComeIsKnownBeforeItIsRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for want := int64(1000); want < 5000; want += 1000 {
		if _, err := client.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the bytes have come", func() bool { return bytesIn(server) == want })
		if want == 2000 {
			server.SetReadDeadline(time.Now().Add(10 * time.Second)) //nolint:errcheck // then it is closed already
			if _, err := server.Read(make([]byte, 500)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

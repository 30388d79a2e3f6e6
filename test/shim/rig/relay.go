package rig

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Relay stands before brokers and takes their place: whoever asks it for metadata is told of nothing but the relay itself. It
// counts what arrives for the brokers, and by whom, and breaks connections when told to. It is for plaintext, and knows
// nothing of the shim's code.
type Relay struct {
	// Owner is the process whose connections are expected; 0 expects any.
	Owner atomic.Int64

	mu     sync.Mutex
	nodes  map[int32]*relayNode
	closed bool
	done   sync.WaitGroup

	counts Counts
}

// Counts is what a relay saw.
type Counts struct {
	// Accepted connections; those of them that are Foreign came from another process than the owner, and those whose process
	// Unknown is were closed before it could be looked up.
	Accepted, Foreign, Unknown atomic.Int64
	// Acks counts Produce requests by acks: -1, 0 and 1.
	Acks [3]atomic.Int64
	// Idempotent and Plain count record batches with and without a producer ID.
	Idempotent, Plain atomic.Int64
	// Cuts counts connections that were broken on purpose.
	Cuts atomic.Int64
}

// Counts of the relay so far.
func (r *Relay) Counts() *Counts { return &r.counts }

// AcksOf counts the Produce requests with these acks.
func (c *Counts) AcksOf(acks int16) int64 { return c.Acks[acks+1].Load() }

type relayNode struct {
	relay    *Relay
	id       int32
	real     atomic.Pointer[string]
	listener net.Listener

	mu    sync.Mutex
	links map[*link]struct{}

	accepted atomic.Int64
	refuse   atomic.Bool
	delay    atomic.Int64 // of answers, in nanoseconds
	tear     atomic.Int32 // so many more requests are cut in half
	deafen   atomic.Int32 // the answers to so many more Produce requests are lost
}

// NewRelay stands before the brokers with these addresses, by node.
func NewRelay(brokers map[int32]string) (*Relay, error) {
	r := &Relay{nodes: make(map[int32]*relayNode)}
	for id, address := range brokers {
		if _, err := r.place(id, address); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// Bootstrap are the relay's own addresses.
func (r *Relay) Bootstrap() (addresses []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(r.nodes)) {
		addresses = append(addresses, r.nodes[id].listener.Addr().String())
	}
	return addresses
}

// place of a node: where its address is in the relay.
func (r *Relay) place(id int32, address string) (*net.TCPAddr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.nodes[id]
	if n == nil {
		if r.closed {
			return nil, net.ErrClosed
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		n = &relayNode{relay: r, id: id, listener: l, links: make(map[*link]struct{})}
		r.nodes[id] = n
		r.done.Go(n.accept)
	}
	n.real.Store(&address)
	return n.listener.Addr().(*net.TCPAddr), nil
}

// Close ends the relay and all its connections.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	nodes := slices.Collect(maps.Values(r.nodes))
	r.mu.Unlock()
	for _, n := range nodes {
		n.listener.Close()
		n.cut()
	}
	r.done.Wait()
}

// node finds a node. One that no metadata has named yet has no connections, and nothing that is done to it hits any.
func (r *Relay) node(id int32) *relayNode {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.nodes[id]; n != nil {
		return n
	}
	return &relayNode{relay: r, id: id}
}

// Accepted counts the connections to a node.
func (r *Relay) Accepted(id int32) int64 { return r.node(id).accepted.Load() }

// Cut breaks all connections to a node. It returns how many those were.
func (r *Relay) Cut(id int32) int { return r.node(id).cut() }

// Tear cuts the next requests for a node in half, and their connections off. It returns how many were left to be torn.
func (r *Relay) Tear(id int32, requests int32) int32 { return r.node(id).tear.Swap(requests) }

// Deafen lets the next Produce requests reach a node, and cuts the connection instead of answering. It returns how many were
// left to be deafened.
func (r *Relay) Deafen(id int32, answers int32) int32 { return r.node(id).deafen.Swap(answers) }

// Delay holds every answer of a node up; 0 ends that.
func (r *Relay) Delay(id int32, d time.Duration) { r.node(id).delay.Store(int64(d)) }

// Refuse closes new connections to a node at once, and cuts those that there are, until told otherwise. It returns how many it cut.
func (r *Relay) Refuse(id int32, refuse bool) int {
	n := r.node(id)
	n.refuse.Store(refuse)
	if refuse {
		return n.cut()
	}
	return 0
}

func (n *relayNode) cut() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.links {
		l.close()
	}
	n.relay.counts.Cuts.Add(int64(len(n.links)))
	return len(n.links)
}

func (n *relayNode) accept() {
	for {
		client, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.relay.done.Go(func() { n.serve(client) })
	}
}

func (n *relayNode) serve(client net.Conn) {
	defer client.Close()
	n.accepted.Add(1)
	n.relay.account(client)
	if n.refuse.Load() {
		return
	}
	broker, err := net.DialTimeout("tcp", *n.real.Load(), 5*time.Second)
	if err != nil {
		return
	}
	l := &link{node: n, client: client, broker: broker}
	n.mu.Lock()
	n.links[l] = struct{}{}
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		delete(n.links, l)
		n.mu.Unlock()
	}()
	var both sync.WaitGroup
	both.Go(func() { defer l.close(); l.requests() })
	both.Go(func() { defer l.close(); l.answers() })
	both.Wait()
}

// account for a connection: whose is it?
func (r *Relay) account(client net.Conn) {
	r.counts.Accepted.Add(1)
	pid := r.Owner.Load()
	if pid == 0 {
		return
	}
	switch owns, known, who := Owns(int(pid), client.RemoteAddr().(*net.TCPAddr), client.LocalAddr().(*net.TCPAddr)); {
	case !known:
		r.counts.Unknown.Add(1)
	case !owns:
		r.counts.Foreign.Add(1)
		Say("a connection past the shim: %s", who)
	}
}

// local puts the relay's address in the place of a broker's.
func (r *Relay) local(id int32, host *string, port *int32) error {
	if id < 0 || *host == "" {
		return nil
	}
	at, err := r.place(id, net.JoinHostPort(*host, strconv.Itoa(int(*port))))
	if err != nil {
		return fmt.Errorf("node %d: %w", id, err)
	}
	*host, *port = at.IP.String(), int32(at.Port)
	return nil
}

package proxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/sequence"
	"mooring.dev/mooring/internal/shim/upstream"
)

// courier brings batches to whoever leads their partition, on connections of its own. A connection of a client has one when
// it needs it.
type courier struct {
	server *Server
	conns  map[int32]*upstream.Conn
	// leader of the partition that was asked for last; it is asked for again after every failure.
	leader    int32
	partition sequence.Partition
	known     bool
}

func (c *conn) courier() *courier {
	if c.ownCourier == nil {
		c.ownCourier = &courier{server: c.server, conns: make(map[int32]*upstream.Conn)}
	}
	return c.ownCourier
}

func (k *courier) close() {
	for _, up := range k.conns {
		up.Close()
	}
}

// How long one attempt may take: a broker that is frozen answers nothing, and meanwhile another one may lead.
const (
	attemptTimeout  = 8 * time.Second
	metadataTimeout = 3 * time.Second
)

// deliver sends one batch once. An error means that the outcome is unknown.
func (k *courier) deliver(ctx context.Context, p *produced, partition sequence.Partition, records []byte) (node int32, code int16, offset int64, err error) {
	if k.partition != partition {
		k.partition, k.known = partition, false
	}
	defer func() { k.known = k.known && err == nil && code == 0 }()
	if !k.known {
		if k.leader, code, err = k.findLeader(ctx, partition.Topic, partition.Index); err != nil || code != 0 {
			return 0, code, -1, err
		}
		k.known = true
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version = 7 // every broker since 2.1 speaks it, and it has names and no addresses
	req.Acks, req.TimeoutMillis = -1, int32(attemptTimeout.Milliseconds()*2/3)
	t, part := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = partition.Index, records
	t.Topic, t.Partitions = partition.Topic, []kmsg.ProduceRequestTopicPartition{part}
	req.Topics = []kmsg.ProduceRequestTopic{t}
	resp, err := k.ask(ctx, k.leader, req)
	if err != nil {
		return k.leader, 0, -1, err
	}
	r := resp.(*kmsg.ProduceResponse)
	if len(r.Topics) != 1 || len(r.Topics[0].Partitions) != 1 {
		return k.leader, 0, -1, errors.New("the answer is not for the batch")
	}
	a := r.Topics[0].Partitions[0]
	p.who.Error(a.ErrorCode)
	return k.leader, a.ErrorCode, a.BaseOffset, nil
}

// producer asks for a new producer ID.
func (k *courier) producer(ctx context.Context) (int64, int16, error) {
	resp, err := k.anyone(ctx, newProducer())
	if err != nil {
		return 0, 0, err
	}
	r := resp.(*kmsg.InitProducerIDResponse)
	return r.ProducerID, r.ProducerEpoch, kerr.ErrorForCode(r.ErrorCode)
}

// findLeader asks any broker. A code is the broker's answer for the partition: LEADER_NOT_AVAILABLE while there is none.
func (k *courier) findLeader(ctx context.Context, topic string, partition int32) (int32, int16, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 4
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = []kmsg.MetadataRequestTopic{t}
	resp, err := k.anyone(ctx, req)
	if err != nil {
		return 0, 0, err
	}
	r := resp.(*kmsg.MetadataResponse)
	if err := k.server.rewriteMetadata(r); err != nil {
		return 0, 0, err
	}
	for _, t := range r.Topics {
		if t.ErrorCode == kerr.UnknownTopicOrPartition.Code {
			return 0, t.ErrorCode, nil
		}
		for _, p := range t.Partitions {
			if p.Partition == partition && p.ErrorCode == 0 && p.Leader >= 0 {
				return p.Leader, 0, nil
			}
		}
	}
	return 0, kerr.LeaderNotAvailable.Code, nil
}

// anyone asks a connected broker, then the others, then the bootstrap servers.
func (k *courier) anyone(ctx context.Context, req kmsg.Request) (resp kmsg.Response, err error) {
	var order []int32
	for id := range k.conns {
		order = append(order, id)
	}
	ids := k.server.nodes.ids()
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for _, id := range append(append(order, ids...), bootstrapNode) {
		if resp, err = k.ask(ctx, id, req); err == nil {
			return resp, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("no broker answers: %w", err)
}

func (k *courier) ask(ctx context.Context, id int32, req kmsg.Request) (kmsg.Response, error) {
	timeout := attemptTimeout
	if req.Key() != int16(kmsg.Produce) {
		timeout = metadataTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	up := k.conns[id]
	if up != nil && !up.Expires.IsZero() && time.Now().After(up.Expires) {
		up.Close()
		up = nil
	}
	if up == nil {
		var err error
		if up, err = k.server.connect(ctx, id); err != nil {
			return nil, err
		}
		k.conns[id] = up
	}
	resp, err := up.Ask(ctx, req)
	if err != nil {
		up.Close()
		delete(k.conns, id)
	}
	return resp, err
}

package rig

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// call is a request that waits for its answer.
type call struct {
	key, version int16
	produce      bool
	unanswered   bool // acks=0
}

var errShort = errors.New("a frame that is too short for what it says")

// see a request: count it, if it is a Produce, and remember how to read its answer.
func (r *Relay) see(frame []byte) (call, error) {
	if len(frame) < 10 {
		return call{}, errShort
	}
	c := call{key: int16(binary.BigEndian.Uint16(frame)), version: int16(binary.BigEndian.Uint16(frame[2:]))}
	if kmsg.Key(c.key) != kmsg.Produce {
		return c, nil
	}
	c.produce = true
	req := kmsg.NewPtrProduceRequest()
	req.Version = c.version
	body := frame[8:]
	if n := int16(binary.BigEndian.Uint16(body)); n > 0 { // the client ID
		if len(body) < 2+int(n) {
			return c, errShort
		}
		body = body[n:]
	}
	body = body[2:]
	if req.IsFlexible() { // the header's tags: nobody sends any
		if len(body) == 0 || body[0] != 0 {
			return c, fmt.Errorf("%w: a header with tags", errShort)
		}
		body = body[1:]
	}
	if err := req.ReadFrom(body); err != nil {
		return c, err
	}
	r.count(req)
	c.unanswered = req.Acks == 0
	return c, nil
}

func (r *Relay) count(req *kmsg.ProduceRequest) {
	if req.Acks >= -1 && req.Acks <= 1 {
		r.counts.Acks[req.Acks+1].Add(1)
	}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			// The producer ID of a batch of format 2 is at byte 43.
			if len(p.Records) >= 61 && p.Records[16] == 2 && int64(binary.BigEndian.Uint64(p.Records[43:])) >= 0 {
				r.counts.Idempotent.Add(1)
			} else {
				r.counts.Plain.Add(1)
			}
		}
	}
}

// rewrite an answer so that it names nobody but the relay.
func (r *Relay) rewrite(c call, frame []byte) ([]byte, error) {
	key := kmsg.Key(c.key)
	switch key {
	case kmsg.ApiVersions, kmsg.Metadata, kmsg.FindCoordinator, kmsg.DescribeCluster, kmsg.ShareFetch, kmsg.ShareAcknowledge:
	case kmsg.Produce:
		if c.version < 10 {
			return frame, nil
		}
	case kmsg.Fetch:
		if c.version < 16 {
			return frame, nil
		}
	default:
		return frame, nil
	}
	resp := kmsg.ResponseForKey(c.key)
	resp.SetVersion(c.version)
	head := 8 // size and correlation ID
	if key == kmsg.ApiVersions {
		if len(frame) >= 10 && binary.BigEndian.Uint16(frame[8:]) == 35 { // answered in version 0 (KIP-511)
			return frame, nil
		}
	} else if resp.IsFlexible() {
		head++ // no tags
	}
	if len(frame) < head {
		return nil, errShort
	}
	if err := resp.ReadFrom(frame[head:]); err != nil {
		return nil, err
	}
	if err := r.readdress(resp); err != nil {
		return nil, err
	}
	out := resp.AppendTo(append([]byte(nil), frame[:head]...))
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out, nil
}

func (r *Relay) readdress(resp kmsg.Response) error {
	type end struct {
		id   int32
		host *string
		port *int32
	}
	var ends []end
	switch m := resp.(type) {
	case *kmsg.ApiVersionsResponse:
		for i := range m.ApiKeys {
			if req := kmsg.RequestForKey(m.ApiKeys[i].ApiKey); req != nil {
				m.ApiKeys[i].MaxVersion = min(m.ApiKeys[i].MaxVersion, req.MaxVersion())
			}
		}
	case *kmsg.MetadataResponse:
		for i := range m.Brokers {
			ends = append(ends, end{m.Brokers[i].NodeID, &m.Brokers[i].Host, &m.Brokers[i].Port})
		}
	case *kmsg.FindCoordinatorResponse:
		ends = append(ends, end{m.NodeID, &m.Host, &m.Port})
		for i := range m.Coordinators {
			ends = append(ends, end{m.Coordinators[i].NodeID, &m.Coordinators[i].Host, &m.Coordinators[i].Port})
		}
	case *kmsg.DescribeClusterResponse:
		for i := range m.Brokers {
			ends = append(ends, end{m.Brokers[i].NodeID, &m.Brokers[i].Host, &m.Brokers[i].Port})
		}
	case *kmsg.ProduceResponse:
		for i := range m.Brokers {
			ends = append(ends, end{m.Brokers[i].NodeID, &m.Brokers[i].Host, &m.Brokers[i].Port})
		}
	case *kmsg.FetchResponse:
		for i := range m.Brokers {
			ends = append(ends, end{m.Brokers[i].NodeID, &m.Brokers[i].Host, &m.Brokers[i].Port})
		}
	case *kmsg.ShareFetchResponse:
		for i := range m.NodeEndpoints {
			ends = append(ends, end{m.NodeEndpoints[i].NodeID, &m.NodeEndpoints[i].Host, &m.NodeEndpoints[i].Port})
		}
	case *kmsg.ShareAcknowledgeResponse:
		for i := range m.NodeEndpoints {
			ends = append(ends, end{m.NodeEndpoints[i].NodeID, &m.NodeEndpoints[i].Host, &m.NodeEndpoints[i].Port})
		}
	}
	for _, e := range ends {
		if err := r.local(e.id, e.host, e.port); err != nil {
			return err
		}
	}
	return nil
}

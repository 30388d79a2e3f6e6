package proxy

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/shim/wire"
)

// appendDone adds the shim's own answers to a response.
func (p *produced) appendDone(resp *kmsg.ProduceResponse) {
	for i := range p.parts {
		q, wp := &p.parts[i], &p.req.Parts[i]
		if !q.done {
			continue
		}
		answer := kmsg.NewProduceResponseTopicPartition()
		answer.Partition, answer.ErrorCode, answer.BaseOffset = wp.Partition, q.code, q.offset
		answer.LogStartOffset = -1
		if q.verdict.Message != "" && q.code != 0 {
			answer.ErrorMessage = new(q.verdict.Message)
		}
		topicOf(resp, wp).Partitions = append(topicOf(resp, wp).Partitions, answer)
	}
}

// topicOf finds the topic of a part in a response, or adds it.
func topicOf(resp *kmsg.ProduceResponse, wp *wire.Part) *kmsg.ProduceResponseTopic {
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Topic == string(wp.Topic) && t.TopicID == wp.TopicID {
			return t
		}
	}
	t := kmsg.NewProduceResponseTopic()
	t.Topic, t.TopicID = string(wp.Topic), wp.TopicID
	resp.Topics = append(resp.Topics, t)
	return &resp.Topics[len(resp.Topics)-1]
}

// rebuild the request without what the broker does not get.
func (c *conn) rebuild(p *produced) {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = p.req.Version, p.req.Acks, p.req.Timeout
	if p.req.TransactionalID != nil {
		req.TransactionID = new(string(p.req.TransactionalID))
	}
	for i := range p.parts {
		if p.parts[i].done {
			continue
		}
		wp := &p.req.Parts[i]
		last := len(req.Topics) - 1
		if last < 0 || req.Topics[last].Topic != string(wp.Topic) || req.Topics[last].TopicID != wp.TopicID {
			t := kmsg.NewProduceRequestTopic()
			t.Topic, t.TopicID = string(wp.Topic), wp.TopicID
			req.Topics = append(req.Topics, t)
			last++
		}
		t := kmsg.NewProduceRequestTopicPartition()
		t.Partition, t.Records = wp.Partition, wp.Records
		req.Topics[last].Partitions = append(req.Topics[last].Partitions, t)
	}
	whole := wire.AppendRequest(nil, p.head.CorrelationID, p.head.ClientID, req)
	// The views of what is sent go to the new frame; those of what is not stay with the old one, for the answer's names.
	var fresh wire.Produce
	header, err := wire.ParseHeader(whole[4:])
	if err == nil {
		err = wire.ParseProduce(&fresh, p.req.Version, whole[4+header.Body:])
	}
	if err != nil || len(fresh.Parts) != p.sent {
		c.server.log.Error("a request could not be built anew", "err", err) // kmsg and wire would disagree
		return
	}
	for i, next := 0, 0; i < len(p.parts); i++ {
		if !p.parts[i].done {
			p.req.Parts[i].Records = fresh.Parts[next].Records
			next++
		} else {
			p.req.Parts[i].Topic, p.req.Parts[i].Records = append([]byte(nil), p.req.Parts[i].Topic...), nil
		}
	}
	p.keepNames()
	p.frame.Release()
	p.frame = wire.Loose(whole)
}

// keepNames copies the names, which are views of a frame that goes.
func (p *produced) keepNames() {
	var last []byte
	for i := range p.parts {
		wp := &p.req.Parts[i]
		if wp.Topic != nil {
			if string(wp.Topic) != string(last) {
				last = append([]byte(nil), wp.Topic...)
			}
			wp.Topic, p.parts[i].name = last, last
		}
	}
	p.client = append([]byte(nil), p.client...)
	p.head.ClientID = p.client
}

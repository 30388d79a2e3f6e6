// Package policy judges what a client produces by the contract. It is pure: requests go in, verdicts come out.
package policy

import (
	"github.com/twmb/franz-go/pkg/kerr"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/wire"
)

// Codecs are the names of the compression codecs, by their number in a batch.
var Codecs = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// Reason why something is not as the contract wants it. It is a metric's label, so there are few.
type Reason string

// Reasons.
const (
	Fine          Reason = ""
	WeakAcks      Reason = "acks"
	NotIdempotent Reason = "idempotence"
	OldFormat     Reason = "message-format"
	Topic         Reason = "topic"
	Size          Reason = "size"
	Compression   Reason = "compression"
)

// Action is what is done about something.
type Action int

// Actions.
const (
	// Pass it as it is.
	Pass Action = iota
	// Upgrade it to what the contract wants.
	Upgrade
	// Reject it with a Kafka error code.
	Reject
)

// Verdict on a request or on one partition of it.
type Verdict struct {
	Action Action
	Reason Reason
	// Code is the Kafka error code of a rejection.
	Code int16
	// Message says it in words.
	Message string
}

// Policy is a contract that is ready to judge. It does not change.
type Policy struct {
	Contract contract.Contract

	names  map[string]struct{}
	codecs [8]bool
}

// New makes a policy of a valid contract.
func New(c contract.Contract) *Policy {
	p := &Policy{Contract: c}
	if c.Topics != nil {
		p.names = make(map[string]struct{}, len(c.Topics.Names))
		for _, name := range c.Topics.Names {
			p.names[name] = struct{}{}
		}
	}
	for i, name := range Codecs {
		p.codecs[i] = len(c.Limits.Compression) == 0
		for _, allowed := range c.Limits.Compression {
			p.codecs[i] = p.codecs[i] || allowed == name
		}
	}
	return p
}

// act is what the contract's mode does about a fault that can be mended.
func (p *Policy) act(v Verdict) Verdict {
	switch p.Contract.Enforcement.Mode {
	case contract.Upgrade:
		v.Action = Upgrade
	case contract.Reject:
		v.Action = Reject
	}
	return v
}

// refuse is what is done about a fault that cannot be mended.
func (p *Policy) refuse(v Verdict) Verdict {
	if p.Contract.Enforcement.Mode != contract.Audit {
		v.Action = Reject
	}
	return v
}

// Acks judges the acks of a request.
func (p *Policy) Acks(acks int16) Verdict {
	wanted := p.Contract.Enforcement.Acks
	if acks == -1 || acks > 1 || (wanted >= 0 && acks >= wanted) { // other values the broker refuses itself
		return Verdict{}
	}
	return p.act(Verdict{Reason: WeakAcks, Code: kerr.PolicyViolation.Code, Message: "acks is weaker than the producer policy wants"})
}

// Size judges the size of a request, in bytes.
func (p *Policy) Size(bytes int) Verdict {
	limit := int(p.Contract.Limits.MaxRequestSize)
	if limit == 0 || bytes <= limit {
		return Verdict{}
	}
	return p.refuse(Verdict{Reason: Size, Code: kerr.MessageTooLarge.Code, Message: "the request is larger than the producer policy allows"})
}

// Topic judges whether a topic may be written.
func (p *Policy) Topic(name []byte) Verdict {
	t := p.Contract.Topics
	if t == nil {
		return Verdict{}
	}
	if _, ok := p.names[string(name)]; ok {
		return Verdict{}
	}
	for _, prefix := range t.Prefixes {
		if len(name) >= len(prefix) && string(name[:len(prefix)]) == prefix {
			return Verdict{}
		}
	}
	return p.refuse(Verdict{Reason: Topic, Code: kerr.TopicAuthorizationFailed.Code, Message: "the producer policy does not allow this topic"})
}

// Batch judges the records of a partition. Upgrade means: give it a producer ID.
func (p *Policy) Batch(records []byte) Verdict {
	b, ok := wire.AsBatch(records)
	if !ok {
		return p.oldFormat(records)
	}
	if !p.codecs[b.Codec()] {
		return p.refuse(Verdict{Reason: Compression, Code: kerr.PolicyViolation.Code, Message: "the producer policy does not allow this compression codec"})
	}
	id, _, _ := b.Producer()
	if id >= 0 || b.Transactional() || !p.Contract.Enforcement.Idempotence {
		return Verdict{}
	}
	return p.act(Verdict{Reason: NotIdempotent, Code: kerr.PolicyViolation.Code, Message: "the producer policy wants an idempotent producer"})
}

func (p *Policy) oldFormat(records []byte) Verdict {
	if len(records) == 0 || !p.Contract.Enforcement.Idempotence {
		return Verdict{}
	}
	v := Verdict{Reason: OldFormat, Code: kerr.UnsupportedForMessageFormat.Code, Message: "the producer policy wants idempotence, which this message format cannot have"}
	if p.Contract.Enforcement.Unsupported == contract.UnsupportedReject {
		return p.refuse(v)
	}
	return v
}

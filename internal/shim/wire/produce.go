package wire

import (
	"encoding/binary"
	"fmt"
)

// maxParts bounds the partitions of one Produce request, so that a frame of empty ones cannot make a list far larger than
// itself. A broker of that many partitions is beyond what Kafka recommends.
const maxParts = 64 << 10

// Produce is the skeleton of a Produce request: views into its frame.
type Produce struct {
	Version int16
	// TransactionalID is nil when there is none.
	TransactionalID []byte
	Acks            int16
	// Timeout in milliseconds.
	Timeout int32
	// Parts are the partitions, in the order of the request.
	Parts []Part

	acks []byte
}

// Part is one partition of a Produce request.
type Part struct {
	// Topic is the name; nil from version 13 on, which has the ID.
	Topic     []byte
	TopicID   [16]byte
	Partition int32
	// Records are the batch, as bytes of the frame; nil is null.
	Records []byte
}

// ParseProduce reads the body of a Produce request of version 0 to 13. It fills into, whose list is used again.
func ParseProduce(into *Produce, version int16, body []byte) error {
	if version < 0 || version > 13 {
		return fmt.Errorf("%w: Produce version %d is not known; 0 to 13 are", ErrFrame, version)
	}
	*into = Produce{Version: version, Parts: into.Parts[:0]}
	c := cursor{b: body}
	compact := version >= 9
	if version >= 3 {
		into.TransactionalID = c.text(compact)
	}
	into.acks = c.take(2)
	into.Timeout = c.int32()
	for topics := c.length(compact, true); topics > 0 && !c.bad; topics-- {
		into.topic(&c, compact)
	}
	if compact {
		c.tags()
	}
	if c.bad || c.at != len(body) {
		return fmt.Errorf("%w: the body of a Produce request (version %d) is cut off or wrong at byte %d of %d", ErrFrame, version, c.at, len(body))
	}
	into.Acks = int16(binary.BigEndian.Uint16(into.acks))
	return nil
}

func (p *Produce) topic(c *cursor, compact bool) {
	var part Part
	if p.Version >= 13 {
		copy(part.TopicID[:], c.take(16))
	} else {
		part.Topic = c.text(compact)
	}
	for n := c.length(compact, true); n > 0 && !c.bad; n-- {
		part.Partition = c.int32()
		part.Records = c.bytes(compact)
		if compact {
			c.tags()
		}
		if len(p.Parts) == maxParts {
			c.bad = true
		}
		if !c.bad {
			p.Parts = append(p.Parts, part)
		}
	}
	if compact {
		c.tags()
	}
}

// SetAcks writes the acks into the frame. No checksum covers them.
func (p *Produce) SetAcks(acks int16) {
	p.Acks = acks
	binary.BigEndian.PutUint16(p.acks, uint16(acks))
}

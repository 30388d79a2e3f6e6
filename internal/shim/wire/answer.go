package wire

// Success is what an answer says of one partition: it has no error, and its records begin at an offset.
type Success struct {
	// Topic is the name, as bytes of the frame; nil from version 13 on, which has the ID.
	Topic     []byte
	TopicID   [16]byte
	Partition int32
	Offset    int64
}

// Successes reads the body of the answer to a Produce of version 0 to 13, and appends to into. It says false if anything in it is
// more than a success (an error, or tagged fields, where brokers' addresses are), or if it cannot be read: then it takes a real
// decoder. Nearly every answer is one of successes alone.
func Successes(into []Success, version int16, body []byte) ([]Success, bool) {
	if version < 0 || version > 13 {
		return into, false
	}
	c := cursor{b: body}
	compact := version >= 9
	topics := c.length(compact, true)
	c.bad = c.bad || topics < 0
	for ; topics > 0 && !c.bad; topics-- {
		var s Success
		if version >= 13 {
			copy(s.TopicID[:], c.take(16))
		} else {
			s.Topic = c.text(compact)
			c.bad = c.bad || s.Topic == nil
		}
		n := c.length(compact, true)
		c.bad = c.bad || n < 0
		for ; n > 0 && !c.bad; n-- {
			s.success(&c, version)
			if len(into) == maxParts {
				c.bad = true
			}
			if !c.bad {
				into = append(into, s)
			}
		}
		c.noTags(compact)
	}
	if version >= 1 {
		c.int32() // the throttle time
	}
	c.noTags(compact)
	return into, !c.bad && c.at == len(body)
}

func (s *Success) success(c *cursor, version int16) {
	compact := version >= 9
	s.Partition = c.int32()
	if c.int16() != 0 {
		c.bad = true
	}
	s.Offset = c.int64()
	if version >= 2 {
		c.int64() // the time of appending
	}
	if version >= 5 {
		c.int64() // the log's first offset
	}
	if version >= 8 && (c.length(compact, true) > 0 || c.length(compact, false) >= 0) {
		c.bad = true // errors of records, or a message
	}
	c.noTags(compact)
}

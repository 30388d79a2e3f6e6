package wire

import "encoding/binary"

// cursor walks over bytes. After the first fault every read gives zero values, so that a parser checks once.
type cursor struct {
	b   []byte
	at  int
	bad bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n < 0 || n > len(c.b)-c.at {
		c.bad = true
		return nil
	}
	b := c.b[c.at : c.at+n : c.at+n]
	c.at += n
	return b
}

func (c *cursor) int16() int16 {
	b := c.take(2)
	if b == nil {
		return 0
	}
	return int16(binary.BigEndian.Uint16(b))
}

func (c *cursor) int32() int32 {
	b := c.take(4)
	if b == nil {
		return 0
	}
	return int32(binary.BigEndian.Uint32(b))
}

func (c *cursor) int64() int64 {
	b := c.take(8)
	if b == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// uvarint is unsigned, of at most 32 bits, as lengths are.
func (c *cursor) uvarint() int {
	if c.bad {
		return 0
	}
	v, n := binary.Uvarint(c.b[c.at:])
	if n <= 0 || v > 1<<31-1 {
		c.bad = true
		return 0
	}
	c.at += n
	return int(v)
}

// length of what follows: -1 is null.
func (c *cursor) length(compact bool, wide bool) int {
	var n int
	switch {
	case compact:
		n = c.uvarint() - 1
	case wide:
		n = int(c.int32())
	default:
		n = int(c.int16())
	}
	if n < -1 {
		c.bad = true
	}
	return n
}

// text is a nullable string; nil is null.
func (c *cursor) text(compact bool) []byte {
	n := c.length(compact, false)
	if n < 0 {
		return nil
	}
	return c.take(n)
}

// bytes are nullable bytes; nil is null.
func (c *cursor) bytes(compact bool) []byte {
	n := c.length(compact, true)
	if n < 0 {
		return nil
	}
	return c.take(n)
}

// tags skips tagged fields (KIP-482).
func (c *cursor) tags() {
	for n := c.uvarint(); n > 0 && !c.bad; n-- {
		c.uvarint()
		c.take(c.uvarint())
	}
}

// noTags is an end without tagged fields; any are a fault.
func (c *cursor) noTags(compact bool) {
	if compact && c.uvarint() != 0 {
		c.bad = true
	}
}

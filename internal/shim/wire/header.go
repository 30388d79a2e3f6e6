package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Header of a request.
type Header struct {
	Key           int16
	Version       int16
	CorrelationID int32
	// ClientID are bytes of the frame; nil is null.
	ClientID []byte
	// Body is where the body begins in the frame.
	Body int
}

// ParseHeader reads the header of a request: version 1, or version 2 (with tagged fields) where the request is flexible.
// The client ID has an int16 length in both.
func ParseHeader(frame []byte) (Header, error) {
	c := cursor{b: frame}
	h := Header{Key: c.int16(), Version: c.int16(), CorrelationID: c.int32()}
	h.ClientID = c.text(false)
	if FlexibleRequest(h.Key, h.Version) {
		c.tags()
	}
	h.Body = c.at
	if c.bad {
		return Header{}, fmt.Errorf("%w: the header of a request (API key %d) is cut off or wrong", ErrFrame, h.Key)
	}
	return h, nil
}

// ResponseBody is where the body of a response begins in its frame: after the correlation ID and, if it is flexible, the
// header's tagged fields.
func ResponseBody(frame []byte, key, version int16) (int, error) {
	c := cursor{b: frame}
	c.int32()
	if FlexibleResponse(key, version) {
		c.tags()
	}
	if c.bad {
		return 0, fmt.Errorf("%w: the header of a response (API key %d) is cut off or wrong", ErrFrame, key)
	}
	return c.at, nil
}

// AppendResponse appends a whole response frame, its size included.
func AppendResponse(dst []byte, correlationID int32, resp kmsg.Response) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(correlationID))
	if FlexibleResponse(resp.Key(), resp.GetVersion()) {
		dst = append(dst, 0)
	}
	dst = resp.AppendTo(dst)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// AppendRequest appends a whole request frame, its size included. A nil clientID is null.
func AppendRequest(dst []byte, correlationID int32, clientID []byte, req kmsg.Request) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(req.Key()))
	dst = binary.BigEndian.AppendUint16(dst, uint16(req.GetVersion()))
	dst = binary.BigEndian.AppendUint32(dst, uint32(correlationID))
	if clientID == nil {
		dst = append(dst, 0xff, 0xff)
	} else {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(clientID)))
		dst = append(dst, clientID...)
	}
	if FlexibleRequest(req.Key(), req.GetVersion()) {
		dst = append(dst, 0)
	}
	dst = req.AppendTo(dst)
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

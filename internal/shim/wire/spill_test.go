package wire

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"
)

// connected are both ends of a TCP connection.
func connected(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if far, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if near, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// Frames are the same whether their bytes were spilled or not, in whatever way they are read.
func TestWhatWasSpilledIsReadInItsPlace(t *testing.T) {
	near, far := connected(t)
	r := NewReader(near, 1<<20)
	var sent [][]byte
	var stream []byte
	for i, size := range []int{0, 1, 10, 4 << 10, 100 << 10, 7, 64 << 10, 300 << 10, 3, 200 << 10, 5} {
		frame := bytes.Repeat([]byte{byte(i + 1)}, size)
		sent = append(sent, frame)
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(size)), frame...)
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := far.Write(stream)
		far.Close()
		wrote <- err
	}()
	const limit = 400 << 10
	spill := func() {
		for end := time.Now().Add(10 * time.Second); r.Spilled() < limit && len(stream)-int(r.Arrived()) > limit && time.Now().Before(end); {
			r.Spill(limit)
		}
		if n := r.Spilled(); n > limit {
			t.Errorf("%d bytes were spilled, and %d are the limit", n, limit)
		}
	}
	spill()
	if r.Spilled() != limit || r.Arrived() != 0 {
		t.Fatalf("%d bytes were spilled, %d count as read", r.Spilled(), r.Arrived())
	}
	for i, want := range sent {
		n, err := r.Next()
		if err != nil || n != len(want) {
			t.Fatalf("frame %d has %d bytes, not %d: %v", i, n, len(want), err)
		}
		var got []byte
		switch i % 3 {
		case 0:
			got, err = io.ReadAll(r)
		case 1:
			var out bytes.Buffer
			err = r.Relay(&out, []byte("head"))
			got = bytes.TrimPrefix(out.Bytes(), []byte("head"))
		default:
			var first []byte
			if first, err = r.Peek(min(n, 10)); err == nil {
				got = append(got, first...)
				r.Skip(len(first))
				var rest []byte
				rest, err = io.ReadAll(r)
				got = append(got, rest...)
			}
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("frame %d is not what was sent: %d bytes, %v", i, len(got), err)
		}
		spill()
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	if r.Spilled() != 0 || r.Arrived() != int64(len(stream)) {
		t.Errorf("%d bytes are left, %d of %d were read", r.Spilled(), r.Arrived(), len(stream))
	}
}

// Nothing comes: nobody waits for it.
func TestSpillDoesNotWait(t *testing.T) {
	near, far := connected(t)
	r := NewReader(near, 1<<20)
	if n := r.Spill(1 << 20); n != 0 {
		t.Errorf("%d bytes", n)
	}
	far.Close()
	for range 3 { // the end of the stream is left to the next reading
		if n := r.Spill(1 << 20); n != 0 {
			t.Errorf("%d bytes", n)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	other, _ := net.Pipe()
	if n := NewReader(other, 1<<20).Spill(1 << 20); n != 0 {
		t.Errorf("%d bytes of what is no TCP connection", n)
	}
}

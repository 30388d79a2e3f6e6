package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mooring.dev/mooring/internal/contract"
)

const v3Path = "/v3/clusters/" + clusterID + "/topics/orders/records"

// A stream gets the result of each record while it is still being sent.
func TestStreamResultsComeAsTheyAreAcknowledged(t *testing.T) {
	b := start(t)
	body, send := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+v3Path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	answered := make(chan *http.Response, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req) //nolint:bodyclose // who takes it closes it
		if err != nil {
			t.Error(err)
		}
		answered <- resp
	}()
	var lines *bufio.Reader
	for i := range 20 {
		fmt.Fprintf(send, `{"partition_id":1,"value":{"type":"STRING","data":"%d"}}`, i)
		if lines == nil {
			resp := <-answered
			defer resp.Body.Close()
			lines = bufio.NewReader(resp.Body)
		}
		line, err := lines.ReadString('\n')
		if err != nil || !strings.Contains(line, fmt.Sprintf(`"offset":%d,`, i)) {
			t.Fatalf("result %d: %s %v", i, line, err)
		}
	}
	_ = send.Close()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("after the last result: %q %v", rest, err)
	}
}

// Results are in the order of the records, also of a long stream with wrong records in it.
func TestStreamAccountsForEachRecord(t *testing.T) {
	b := start(t)
	var body strings.Builder
	for i := range 3000 {
		if i%10 == 3 {
			body.WriteString(`{"value":{"type":"BINARY","data":"!"}}`)
			continue
		}
		fmt.Fprintf(&body, `{"partition_id":%d,"value":{"type":"STRING","data":"%d"}}`+"\n", i%3, i)
	}
	got := b.do("POST", v3Path, body.String(), "Content-Type", "application/json")
	lines := strings.Split(strings.TrimSpace(got.body), "\n")
	if got.status != 200 || len(lines) != 3000 {
		t.Fatalf("%d, %d results", got.status, len(lines))
	}
	for i, line := range lines {
		want := fmt.Sprintf(`"partition_id":%d,`, i%3)
		if i%10 == 3 {
			want = `{"error_code":42206,`
		}
		if !strings.Contains(line, want) {
			t.Fatalf("result %d: %s", i, line)
		}
	}
	if n := len(b.written()); n != 2700 {
		t.Errorf("%d written", n)
	}
}

// A request that is cut off in the middle: what came before is written and was answered, what was cut is not.
func TestCutOff(t *testing.T) {
	whole := `{"value":{"type":"STRING","data":"1"}}{"value":{"type":"STRING","data":"2"}}`
	cut := whole + `{"value":{"type":"STRI`
	b := start(t)
	got := b.raw(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", v3Path, len(cut), cut))
	if n := strings.Count(got, `"error_code":200`); n != 2 || !strings.Contains(got, "record 2 was cut off") {
		t.Errorf("%s", got)
	}
	for name, body := range map[string]string{"v2": `{"records":[{"value":"dg=="}`, "raw": "v"} {
		path, kind := "/topics/orders", binaryV2
		if name == "raw" {
			path, kind = rawPath, "text/plain"
		}
		got := b.raw(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 500\r\n\r\n%s", path, kind, body))
		if got != "" && !strings.Contains(got, " 400 ") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if values := fmt.Sprint(b.values()); values != "[1 2]" {
		t.Errorf("written %s", values)
	}
}

// One record of a stream may not fill the memory.
func TestStreamWithARecordThatDoesNotEnd(t *testing.T) {
	b := start(t, func(c *contract.Contract) { c.Limits.MaxRequestSize = 10_000 })
	body := `{"value":{"type":"STRING","data":"1"}} {"value":{"type":"STRING","data":"` + strings.Repeat("x", 200_000)
	got := b.do("POST", v3Path, body, "Content-Type", "application/json")
	b.expect(got, 200, `"error_code":200`, `"error_code":413`)
}

// A drain ends a stream that would go on: what was read has its result, and the sender is told.
func TestDrainEndsStreams(t *testing.T) {
	b := start(t)
	body, send := io.Pipe()
	defer func() { _ = send.Close() }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+v3Path, body)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(send, `{"value":{"type":"STRING","data":"1"}}`) }()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	go b.Drain(t.Context())
	rest, _ := io.ReadAll(resp.Body)
	if text := string(rest); !strings.Contains(text, `"error_code":200`) || !strings.Contains(text, `"error_code":503`) {
		t.Errorf("%s", text)
	}
}

// A thousand clients that announce much, send little and stay cost what a connection costs; others are served meanwhile.
func TestSlowClientsCostLittle(t *testing.T) {
	b := start(t, func(c *contract.Contract) { c.Limits.BufferMemory = 80 << 20 })
	b.expect(b.do("POST", rawPath, "warm"), 200)
	before := memory()
	const clients = 1000
	var open atomic.Int64
	for i := range clients {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		request := "POST /topics/orders HTTP/1.1\r\nHost: x\r\nContent-Type: " + binaryV2 + "\r\nContent-Length: 1000000\r\n\r\n" + `{"records":[`
		switch i % 4 {
		case 1:
			request = "POST " + v3Path + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"val\r\n"
		case 2:
			request = "POST " + rawPath + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
		case 3:
			request = "POST " + rawPath + " HTTP/1.1\r\nHost: x\r\nKafka-Key: " // a head that does not end
		}
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		open.Add(1)
	}
	eventually(t, "all are there", func() bool { return b.connections.Load() >= clients && b.sink.Account().Held() > 0 })
	b.expect(b.do("POST", rawPath, "served", "Idempotency-Key", "k"), 200)
	each := (memory() - before) / clients
	t.Logf("%d bytes a slow client (its own side of the connection is in that), %d held of %d", each, b.sink.Account().Held(), b.sink.Account().Limit())
	if each > 100<<10 {
		t.Errorf("a slow client costs %d bytes", each)
	}
	if held := b.sink.Account().Held(); held > b.sink.Account().Limit() {
		t.Errorf("%d bytes held, of %d", held, b.sink.Account().Limit())
	}
}

// When the bodies of slow clients have filled the buffer, others are told so at once, and memory stays where it is.
func TestSlowClientsCannotTakeMoreThanTheBuffer(t *testing.T) {
	b := start(t, func(c *contract.Contract) { c.Limits.BufferMemory = 1 << 20 })
	for range 200 {
		conn, err := net.Dial("tcp", b.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /topics/orders HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 900000\r\n\r\n{", binaryV2)
	}
	eventually(t, "the buffer is full", func() bool { return b.Totals().RefusedFull > 0 })
	if held, limit := b.sink.Account().Held(), b.sink.Account().Limit(); held > limit {
		t.Errorf("%d bytes held, of %d", held, limit)
	}
	b.expect(b.do("POST", "/topics/orders", `{"records":[{"value":"`+strings.Repeat("A", 80_000)+`"}]}`, "Content-Type", binaryV2), 429)
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// A connection more than there is room for waits, and is served when one ends.
func TestConnectionsAreBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open atomic.Int64
	b := &bounded{Listener: l, room: make(chan struct{}, 1), open: &open}
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	defer dial().Close()
	defer dial().Close()
	first, err := b.Accept()
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	go func() {
		_, err := b.Accept()
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatal("a second connection was taken", err)
	case <-time.After(50 * time.Millisecond):
	}
	first.Close()
	first.Close() // twice is once
	if err := <-second; err != nil || open.Load() != 1 {
		t.Errorf("%v, %d open", err, open.Load())
	}
	third := make(chan error, 1)
	go func() {
		_, err := b.Accept()
		third <- err
	}()
	_ = b.Close()
	if err := <-third; err == nil {
		t.Error("Accept after Close")
	}
}

// A stream that is faster than the brokers waits for them, and none of its records is refused.
func TestStreamWaitsForRoom(t *testing.T) {
	b := start(t, func(c *contract.Contract) { c.Limits.BufferMemory = 200_000 })
	var body strings.Builder
	for range 500 {
		fmt.Fprintf(&body, `{"value":{"type":"STRING","data":"%s"}}`, strings.Repeat("x", 5000))
	}
	got := b.do("POST", v3Path, body.String(), "Content-Type", "application/json")
	if n := strings.Count(got.body, `"error_code":200`); n != 500 {
		t.Errorf("%d of 500 written: %.300s", n, got.body)
	}
	b.settle()
	if held := b.sink.Account().Held(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

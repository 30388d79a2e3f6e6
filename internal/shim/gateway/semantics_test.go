package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/contract"
)

const rawPath = "/v1/topics/orders/records"

// A repeated request is answered from the first, in each dialect, and written once.
func TestIdempotencyKeyAnswersFromTheFirst(t *testing.T) {
	v3 := "/v3/clusters/" + clusterID + "/topics/orders/records"
	for name, tt := range map[string]struct{ path, kind, body string }{
		"raw":      {rawPath, "text/plain", "v"},
		"lines":    {rawPath, "application/x-ndjson", "1\n2\n3"},
		"v2":       {"/topics/orders", binaryV2, `{"records":[{"value":"dg=="},{"value":"dw=="}]}`},
		"v3":       {v3, "application/json", `{"value":{"type":"STRING","data":"a"}}{"value":{"type":"STRING","data":"b"}}`},
		"v3 batch": {v3 + ":batch", "application/json", `{"entries":[{"id":"1","value":{"type":"STRING","data":"a"}}]}`},
		"async":    {rawPath + "?async=true", "text/plain", "v"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			first := b.do("POST", tt.path, tt.body, "Content-Type", tt.kind, "Idempotency-Key", "k1")
			b.settle()
			once := len(b.written())
			again := b.do("POST", tt.path, tt.body, "Content-Type", tt.kind, "Idempotency-Key", "k1")
			if first.status >= 300 || again.status != first.status || again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("first %d %s\nagain %d %s %v", first.status, first.body, again.status, again.body, again.header)
			}
			if now := len(b.written()); once == 0 || now != once {
				t.Errorf("%d records after the first request, %d after the second", once, now)
			}
			b.expect(b.do("POST", tt.path, strings.NewReplacer("v", "u", "a", "c", "1", "9", "dg", "dA").Replace(tt.body), "Content-Type", tt.kind, "Idempotency-Key", "k1"), 422)
		})
	}
}

// Requests that repeat one that is still on its way wait for it, and all get its answer.
func TestConcurrentRepeatsWaitForTheFirst(t *testing.T) {
	b := start(t)
	gate := b.hold()
	answers := make(chan reply, 8)
	var wg sync.WaitGroup
	for range cap(answers) {
		wg.Go(func() { answers <- b.do("POST", rawPath, "v", "Idempotency-Key", "k") })
	}
	eventually(t, "the first is at the broker", func() bool { return gate.arrived.Load() > 0 })
	gate.open()
	wg.Wait()
	close(answers)
	bodies := map[string]int{}
	for a := range answers {
		b.expect(a, 200)
		bodies[a.body]++
	}
	if got := b.values(); len(got) != 1 || len(bodies) != 1 {
		t.Errorf("written %q, answered %v", got, bodies)
	}
}

// A sender whose connection is cut before the answer repeats the request, and the record is written once.
func TestRepeatAfterACutConnection(t *testing.T) {
	b := start(t)
	gate := b.hold()
	ctx, cut := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+rawPath, strings.NewReader("v"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "k")
	failed := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	eventually(t, "the record is at the broker", func() bool { return gate.arrived.Load() > 0 })
	cut()
	if err := <-failed; err == nil {
		t.Fatal("the request was answered though the broker was not")
	}
	gate.open()
	got := b.do("POST", rawPath, "v", "Idempotency-Key", "k")
	b.expect(got, 200, `"offset":0`)
	if values := b.values(); len(values) != 1 {
		t.Errorf("written %q, want one record", values)
	}
}

// A repeat of a request of which some records were refused sends those alone.
func TestRepeatSendsOnlyWhatWasNotWritten(t *testing.T) {
	b := start(t)
	for p := range int32(3) {
		if err := b.cluster.MoveTopicPartition("orders", p, p); err != nil { // each in a request of its own
			t.Fatal(err)
		}
	}
	b.failPartition(2, kerr.PolicyViolation.Code)
	body := `{"records":[{"value":"YQ==","partition":0},{"value":"Yg==","partition":2},{"value":"Yw==","partition":1}]}`
	b.expect(b.do("POST", "/topics/orders", body, "Content-Type", binaryV2, "Idempotency-Key", "k"), 200, `{"partition":0,"offset":0,`, `"error_code":50002`)
	got := b.do("POST", "/topics/orders", body, "Content-Type", binaryV2, "Idempotency-Key", "k")
	b.expect(got, 200, `{"partition":0,"offset":0,`, `{"partition":2,"offset":0,`, `{"partition":1,"offset":0,`)
	if values := b.values(); fmt.Sprint(values) != "[a b c]" {
		t.Errorf("written %q", values)
	}
}

// failPartition answers produce requests for a partition of orders with an error once.
func (b *bench) failPartition(partition int32, code int16) {
	failed := false // control functions run one at a time
	b.cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.cluster.KeepControl()
		if failed {
			return nil, nil, false
		}
		req := r.(*kmsg.ProduceRequest)
		for _, t := range req.Topics {
			for _, p := range t.Partitions {
				if p.Partition == partition && len(t.Partitions) == 1 {
					failed = true
					resp := req.ResponseKind().(*kmsg.ProduceResponse)
					topic := kmsg.NewProduceResponseTopic()
					topic.Topic, topic.TopicID = t.Topic, t.TopicID
					answer := kmsg.NewProduceResponseTopicPartition()
					answer.Partition, answer.ErrorCode, answer.BaseOffset = partition, code, -1
					topic.Partitions = append(topic.Partitions, answer)
					resp.Topics = append(resp.Topics, topic)
					return resp, nil, true
				}
			}
		}
		return nil, nil, false
	})
}

// A full buffer is 429 with Retry-After; nothing of the request is written, and what was accepted is.
func TestFullBuffer(t *testing.T) {
	b := start(t, func(c *contract.Contract) { c.Limits.BufferMemory = 20_000 })
	b.expect(b.do("POST", rawPath, "warm"), 200)
	gate := b.hold()
	body := strings.Repeat("x", 4000)
	accepted := 0
	for {
		got := b.do("POST", rawPath+"?async=true", body)
		if got.status == 202 {
			accepted++
			continue
		}
		b.expect(got, 429, "buffer.memory is full")
		if n, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || n < 1 || n > 30 {
			t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
		}
		break
	}
	b.expect(b.do("POST", "/topics/orders", `{"records":[{"value":"`+body+`"}]}`, "Content-Type", binaryV2), 429, `"error_code":429`)
	if accepted != 4 {
		t.Errorf("%d records of 4,512 bytes were accepted in 20,000", accepted)
	}
	gate.open()
	b.settle()
	if n := len(b.written()); n != accepted+1 {
		t.Errorf("%d records written, %d accepted", n, accepted+1)
	}
	b.expect(b.do("POST", rawPath, body), 200)
}

// Past the delivery timeout it is 504, in words that say what is known.
func TestDeliveryTimeout(t *testing.T) {
	b := start(t, func(c *contract.Contract) { c.Timing.DeliveryTimeout = 1000 })
	gate := b.hold()
	got := b.do("POST", rawPath, "v", "Idempotency-Key", "k")
	b.expect(got, 504)
	gate.open()
	b.settle()
	// The repeat learns what became of the first.
	b.expect(b.do("POST", rawPath, "v", "Idempotency-Key", "k"), 200)
	if values := b.values(); len(values) != 1 {
		t.Errorf("written %q", values)
	}
}

// While no broker can be reached it is 503 with Retry-After, and it ends by itself when they are back.
func TestClusterAway(t *testing.T) {
	b := start(t, func(c *contract.Contract) {
		c.Cluster.BootstrapServers = []string{"127.0.0.1:1"}
		c.Timing.DeliveryTimeout = 2000
	})
	b.expect(b.do("POST", rawPath, "v"), 504)
	var got reply
	eventually(t, "refused", func() bool { got = b.do("POST", rawPath+"?async=true", "v"); return got.status != 202 })
	b.expect(got, 503, "no Kafka broker can be reached")
	if got.header.Get("Retry-After") == "" || b.Away() == nil {
		t.Errorf("no Retry-After, or not Away: %v", got.header)
	}
	c := b.sink.Contract()
	c.Cluster.BootstrapServers = b.cluster.ListenAddrs()
	if err := b.Reload(c); err != nil {
		t.Fatal(err)
	}
	eventually(t, "taken again", func() bool { return b.do("POST", rawPath, "v").status == 200 })
}

// Explicit timestamps of long ago are taken as they are.
func TestOldTimestampsAreNoTimeout(t *testing.T) {
	b := start(t)
	b.expect(b.do("POST", rawPath, "v", "Kafka-Timestamp", "1"), 200, `"timestamp":1`)
	if r := b.written()[0]; r.Timestamp.UnixMilli() != 1 {
		t.Errorf("written with %v", r.Timestamp)
	}
}

// The partition of a key is the Java client's. The hashes are those of Kafka's own UtilsTest.testMurmur2.
func TestKeysGoWhereJavaPutsThem(t *testing.T) {
	b := start(t)
	for key, hash := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
	} {
		want := (hash & 0x7fffffff) % 3
		b.expect(b.do("POST", rawPath, "v", "Kafka-Key", key), 200, fmt.Sprintf(`"partition":%d`, want))
	}
}

// Records of one request and one key are written in their order.
func TestOrder(t *testing.T) {
	b := start(t)
	var body strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&body, "%d\n", i)
	}
	b.expect(b.do("POST", rawPath, body.String(), "Content-Type", "application/x-ndjson", "Kafka-Key", "k"), 200, `"written":2000,"failed":0`)
	for i, r := range b.written() {
		if string(r.Value) != strconv.Itoa(i) {
			t.Fatalf("record %d is %s", i, r.Value)
		}
	}
}

// Another contract is taken up while requests go on; each acknowledged record is written once.
func TestReloadUnderLoad(t *testing.T) {
	b := start(t)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var sent [4]int
	for w := range sent {
		wg.Go(func() {
			for ctx.Err() == nil {
				if got := b.do("POST", rawPath, fmt.Sprintf("%d-%d", w, sent[w])); got.status != 200 {
					t.Errorf("%d %s", got.status, got.body)
					return
				}
				sent[w]++
			}
		})
	}
	for i := range 20 {
		c := b.sink.Contract()
		linger := contract.Millis(i % 3)
		c.Batching.Linger = &linger
		before := b.Totals().Written
		if err := b.Reload(c); err != nil {
			t.Fatal(err)
		}
		eventually(t, "records go on", func() bool { return b.Totals().Written > before+4 })
	}
	stop()
	wg.Wait()
	total := 0
	for _, n := range sent {
		total += n
	}
	values := b.values()
	for i := 1; i < len(values); i++ {
		if values[i] == values[i-1] {
			t.Errorf("%s is written twice", values[i])
		}
	}
	if len(values) != total {
		t.Errorf("%d acknowledged, %d written", total, len(values))
	}
}

// A contract that cannot be taken up leaves the one that is in force.
func TestReloadOfWhatCannotBe(t *testing.T) {
	b := start(t)
	c := b.sink.Contract()
	c.Batching.Compression = "lzma"
	if err := b.Reload(c); err == nil || !strings.Contains(err.Error(), "lzma") {
		t.Errorf("error %v", err)
	}
	b.expect(b.do("POST", rawPath, "v"), 200)
}

// An atomic request is written as a whole or not at all.
func TestAtomic(t *testing.T) {
	b := start(t, func(c *contract.Contract) {
		c.Guarantee = contract.Transactional
		c.Transactions = &contract.Transactions{ID: "shop-orders-0"}
	})
	lines := []string{"Content-Type", "application/x-ndjson"}
	b.expect(b.do("POST", rawPath+"?atomic=true", "1\n2\n3", lines...), 200, `"written":3,"failed":0`)
	bad := `{"records":[{"value":"YQ=="},{"value":"Yg==","partition":9},{"value":"Yw=="}]}`
	got := b.do("POST", "/topics/orders?atomic=true", bad, "Content-Type", binaryV2)
	b.expect(got, 404, `"error_code":40402`, "because the transaction was aborted")
	b.expect(b.do("POST", rawPath+"?atomic=true", "4", lines...), 200)
	b.expect(b.do("POST", rawPath, "plain"), 200)
	if got := fmt.Sprint(b.values()); got != "[1 2 3 4 plain]" {
		t.Errorf("written %s", got)
	}
	if totals := b.Totals(); totals.Committed != 2 || totals.AbortedTransactions != 1 {
		t.Errorf("%+v", totals)
	}
}

// A drain finishes what is there, refuses nothing that was accepted, and says so.
func TestDrain(t *testing.T) {
	b := start(t)
	b.expect(b.do("POST", rawPath, "before"), 200)
	gate := b.hold()
	waiting := make(chan reply, 1)
	go func() { waiting <- b.do("POST", rawPath, "waits") }()
	b.expect(b.do("POST", rawPath+"?async=true", "async"), 202)
	eventually(t, "both are on their way", func() bool { return b.Totals().Pending == 2 })
	report := make(chan Report, 1)
	go func() { report <- b.Drain(t.Context()) }()
	eventually(t, "stopped", func() bool { return b.stopping.Err() != nil })
	gate.open()
	b.expect(<-waiting, 200)
	got := <-report
	if got.Acknowledged != 3 || got.Flushed != 2 || got.Lost != 0 || got.Failed != 0 {
		t.Errorf("%+v", got)
	}
	if text := got.String(); text != "http acknowledged=3 flushed=2 failed=0 lost=0" {
		t.Error(text)
	}
}

// A deadline that comes first is said, with counts.
func TestDrainThatCannotFinish(t *testing.T) {
	b := start(t)
	b.hold()
	b.expect(b.do("POST", rawPath+"?async=true", "1"), 202)
	b.expect(b.do("POST", rawPath+"?async=true", "2"), 202)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	got := b.Drain(ctx)
	if got.Lost != 2 || !strings.Contains(got.String(), "lost=2") || !strings.Contains(got.String(), "not known whether") {
		t.Errorf("%+v %s", got, got)
	}
}

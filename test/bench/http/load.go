package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// work is one kind of request.
type work struct {
	name        string
	connections int
	records     int // of one request
	servers     []string
	request     []byte
}

func works() []work {
	both, jsons := []string{"shim", "floor"}, []string{"shim", "stdjson"}
	raw := request("/v1/topics/"+topic+"/records", "application/octet-stream", value())
	return []work{
		{"raw-1", 1, 1, both, raw},
		{"raw-32", 32, 1, both, raw},
		{"raw-128", 128, 1, both, raw},
		{"v2-binary-10", 32, 10, jsons, v2(10)},
		{"v2-binary-100", 32, 100, jsons, v2(100)},
		{"v3-stream-100", 32, 100, []string{"shim"}, v3(100)},
	}
}

// value of 1 KiB that does not compress.
func value() []byte {
	v := make([]byte, 1024)
	for i := range v {
		v[i] = byte(rand.IntN(256))
	}
	return v
}

func v2(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"value":%q}`, base64.StdEncoding.EncodeToString(value()))
	}
	b.WriteString(`]}`)
	return request("/topics/"+topic, "application/vnd.kafka.binary.v2+json", b.Bytes())
}

func v3(n int) []byte {
	var b bytes.Buffer
	for range n {
		fmt.Fprintf(&b, `{"value":{"type":"BINARY","data":%q}}`+"\n", base64.StdEncoding.EncodeToString(value()))
	}
	return request("/v3/clusters/bench/topics/"+topic+"/records", "application/json", b.Bytes())
}

func request(path, kind string, body []byte) []byte {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, kind, len(body))
	return append([]byte(head), body...)
}

// sample of one round.
type sample struct {
	requests, records float64 // a second
	p50, p99          time.Duration
	rss               int64         // bytes
	cpu               time.Duration // a record
}

// measure a work on its servers, in turns.
func measure(ctx context.Context, w work, program, brokers string, rounds int, took time.Duration) error {
	samples := make(map[string][]sample)
	running := make(map[string]*child)
	for _, name := range w.servers {
		c, err := start(ctx, name, program, brokers)
		if err != nil {
			return err
		}
		defer c.stop()
		running[name] = c
		if _, err := load(ctx, w, c, 500*time.Millisecond); err != nil {
			return err
		}
	}
	for range rounds {
		for _, name := range w.servers {
			s, err := load(ctx, w, running[name], took)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", w.name, name, err)
			}
			samples[name] = append(samples[name], s)
		}
	}
	for _, name := range w.servers {
		m := middle(samples[name])
		ratio := "-"
		if other := w.servers[len(w.servers)-1]; name == "shim" && other != name {
			ratio = fmt.Sprintf("%.2fx", m.records/middle(samples[other]).records)
		}
		fmt.Printf("%-28s %-9s %11.0f %11.0f %7s %9s %9s %6.1f MB %9s\n", w.name, name, m.requests, m.records, ratio,
			m.p50.Round(time.Microsecond), m.p99.Round(time.Microsecond), float64(m.rss)/1e6, m.cpu)
	}
	return nil
}

func start(ctx context.Context, name, program, brokers string) (*child, error) {
	if name == "shim" {
		return startShim(ctx, program, brokers)
	}
	return spawn(ctx, name, brokers)
}

func middle(s []sample) sample {
	pick := func(by func(sample) float64) float64 {
		all := make([]float64, len(s))
		for i := range s {
			all[i] = by(s[i])
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return sample{
		requests: pick(func(s sample) float64 { return s.requests }),
		records:  pick(func(s sample) float64 { return s.records }),
		p50:      time.Duration(pick(func(s sample) float64 { return float64(s.p50) })),
		p99:      time.Duration(pick(func(s sample) float64 { return float64(s.p99) })),
		rss:      int64(pick(func(s sample) float64 { return float64(s.rss) })),
		cpu:      time.Duration(pick(func(s sample) float64 { return float64(s.cpu) })),
	}
}

// load a server for a while.
func load(ctx context.Context, w work, c *child, took time.Duration) (sample, error) {
	before, err := usage(c)
	if err != nil {
		return sample{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, took)
	defer cancel()
	var (
		mu    sync.Mutex
		all   []time.Duration
		first error
		wg    sync.WaitGroup
	)
	started := time.Now()
	for range w.connections {
		wg.Go(func() {
			times, err := drive(ctx, w.request, c.address)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
			if err != nil && first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(started).Seconds()
	if first != nil || len(all) == 0 {
		return sample{}, fmt.Errorf("%d requests, and: %w", len(all), first)
	}
	after, err := usage(c)
	if err != nil {
		return sample{}, err
	}
	slices.Sort(all)
	n := float64(len(all))
	return sample{requests: n / elapsed, records: n * float64(w.records) / elapsed, p50: all[len(all)/2], p99: all[len(all)*99/100],
		rss: after.rss, cpu: (after.cpu - before.cpu) / time.Duration(len(all)*w.records)}, nil
}

// drive one connection: the same request again and again, each after the answer to the last.
func drive(ctx context.Context, request []byte, address string) (times []time.Duration, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for ctx.Err() == nil {
		started := time.Now()
		if _, err := conn.Write(request); err != nil {
			return times, err
		}
		if err := answer(in); err != nil {
			return times, err
		}
		times = append(times, time.Since(started))
	}
	return times, nil
}

// answer reads one, cheaply: the load should cost the machine little.
func answer(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		rest, _ := in.Peek(in.Buffered())
		return fmt.Errorf("%s%s", line, rest)
	}
	length := -1
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if after, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(after))); err != nil {
				return err
			}
		}
	}
	if length >= 0 {
		_, err = in.Discard(length)
		return err
	}
	return chunks(in)
}

func chunks(in *bufio.Reader) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if n == 0 {
			_, err = in.Discard(2)
			return err
		}
		if _, err := in.Discard(int(n) + 2); err != nil {
			return err
		}
	}
}

// used by a process so far.
type used struct {
	rss int64
	cpu time.Duration
}

// tick is what /proc counts CPU in.
const tick = 10 * time.Millisecond

func usage(c *child) (u used, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.command.Process.Pid))
	if err != nil {
		return u, err
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	for _, i := range []int{11, 12} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(n) * tick
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	u.rss = pages * int64(os.Getpagesize())
	return u, err
}

// direct is the producer without HTTP.
func direct(ctx context.Context, brokers string, took time.Duration) error {
	client, err := producer(policy(brokers))
	if err != nil {
		return err
	}
	defer client.Close()
	v, until := value(), time.Now().Add(took)
	started, n := time.Now(), 0
	room := make(chan struct{}, 10_000)
	for ; time.Now().Before(until) && ctx.Err() == nil; n++ {
		room <- struct{}{}
		client.Produce(ctx, &kgo.Record{Topic: topic, Value: v}, func(*kgo.Record, error) { <-room })
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	fmt.Printf("%-28s %-9s %11s %11.0f\n", "direct", "kgo", "-", float64(n)/time.Since(started).Seconds())
	return nil
}

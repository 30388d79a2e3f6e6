package replay

import (
	"strconv"
	"testing"
	"time"

	"mooring.dev/mooring/internal/shim/gateway/record"
	"mooring.dev/mooring/internal/shim/gateway/sink"
)

var (
	written = []sink.Outcome{{Class: sink.Written}}
	failed  = []sink.Outcome{{Class: sink.Away}}
	noon    = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

func begin(t *testing.T, w *Window, key string, n int, now time.Time, want Verdict) *Request {
	t.Helper()
	r, got := w.Begin(key, Sum{}, n, now)
	if got != want {
		t.Fatalf("%s: verdict %d, want %d", key, got, want)
	}
	return r
}

func TestTheLifeOfARequest(t *testing.T) {
	w := NewWindow()
	r := begin(t, w, "k", 1, noon, First)
	begin(t, w, "k", 1, noon, Running)
	if _, v := w.Begin("k", Sum{1}, 1, noon); v != Other {
		t.Errorf("other records with the key: %d", v)
	}
	w.Finish(r, failed, noon)
	begin(t, w, "k", 1, noon, Again)
	begin(t, w, "k", 1, noon, Running)
	w.Forget(r, noon) // the second attempt was refused: what is known of the first stays
	begin(t, w, "k", 1, noon, Again)
	w.Finish(r, written, noon)
	select {
	case <-w.Done(r):
	default:
		t.Error("finished, and those who wait do not hear of it")
	}
	begin(t, w, "k", 1, noon, Finished)
	begin(t, w, "k", 1, noon.Add(Keep), Finished)
	begin(t, w, "k", 1, noon.Add(Keep+1), First)
}

func TestARequestOfWhichNothingWasSentIsForgotten(t *testing.T) {
	w := NewWindow()
	w.Forget(begin(t, w, "k", MaxRecords, noon, First), noon)
	begin(t, w, "k", MaxRecords, noon, First)
}

func TestTheOldestFinishedGoFirst(t *testing.T) {
	w := NewWindow()
	for i := range MaxRequests {
		r := begin(t, w, strconv.Itoa(i), 1, noon, First)
		if i != 3 {
			w.Finish(r, written, noon)
		}
	}
	begin(t, w, "one more", 1, noon, First)
	begin(t, w, "0", 1, noon, First) // was forgotten, and makes 1 be
	begin(t, w, "2", 1, noon, Finished)
	begin(t, w, "3", 1, noon, Running)
	if w.Evicted() != 2 {
		t.Errorf("%d evicted", w.Evicted())
	}
}

func TestTooManyOnTheirWay(t *testing.T) {
	w := NewWindow()
	begin(t, w, "a", MaxRecords, noon, First)
	begin(t, w, "b", 1, noon, Busy)
}

func TestSumsTellRecordsApart(t *testing.T) {
	base := record.Record{Key: []byte("k"), Value: []byte("v"), Partition: -1, Timestamp: -1, Headers: []record.Header{{Key: "h", Value: []byte("x")}}}
	of := func(change func(*record.Record)) Sum {
		r := base
		change(&r)
		return SumOf("t", []record.Record{r})
	}
	seen := map[Sum]string{}
	for name, sum := range map[string]Sum{
		"base":            of(func(*record.Record) {}),
		"topic":           SumOf("u", []record.Record{base}),
		"twice":           SumOf("t", []record.Record{base, base}),
		"no key":          of(func(r *record.Record) { r.Key = nil }),
		"empty key":       of(func(r *record.Record) { r.Key = []byte{} }),
		"key and value":   of(func(r *record.Record) { r.Key, r.Value = []byte("kv"), []byte{} }),
		"partition":       of(func(r *record.Record) { r.Partition = 0 }),
		"timestamp":       of(func(r *record.Record) { r.Timestamp = 0 }),
		"no header":       of(func(r *record.Record) { r.Headers = nil }),
		"header's name":   of(func(r *record.Record) { r.Headers = []record.Header{{Key: "i", Value: []byte("x")}} }),
		"header's value":  of(func(r *record.Record) { r.Headers = []record.Header{{Key: "h", Value: []byte("y")}} }),
		"header's no val": of(func(r *record.Record) { r.Headers = []record.Header{{Key: "h"}} }),
	} {
		if other, had := seen[sum]; had {
			t.Errorf("%s and %s have one sum", name, other)
		}
		seen[sum] = name
	}
	if SumOf("t", []record.Record{base}) != of(func(*record.Record) {}) {
		t.Error("the same records have two sums")
	}
}

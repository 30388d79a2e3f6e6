package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/shim/audit"
	"mooring.dev/mooring/test/shim/rig"
)

// tallied is what became of one client's records.
type tallied struct {
	acknowledged, failed int
	// lost were acknowledged and are not there. duplicated are there more than once, acknowledged or not: each copy beyond the
	// first counts. reordered come after a later one of the same producer and partition.
	lost, duplicated, reordered int
	// forgotten are copies of records that were sent to one process of the shim and, with the same Idempotency-Key, to the next, which
	// knows nothing of it: which is allowed.
	forgotten int
	// written were said to have failed, and are there: which is allowed.
	written int
	// read are the records that are there.
	read int
	// bare are records in batches without a producer ID.
	bare int
}

func (t tallied) wrong() bool { return t.lost+t.duplicated+t.reordered > 0 }

func (t *tallied) add(o tallied) {
	t.acknowledged += o.acknowledged
	t.failed += o.failed
	t.lost += o.lost
	t.duplicated += o.duplicated
	t.reordered += o.reordered
	t.written += o.written
	t.forgotten += o.forgotten
	t.read += o.read
	t.bare += o.bare
}

// result of a run.
type result struct {
	through bool
	took    time.Duration
	faults  int
	counts  map[string]int
	clients map[string]*tallied
	skipped []string
	// examples of what is wrong.
	examples []string
	// stretches of records that are wrong, one after the other: about as many as batches.
	stretches int
	// alien are records in the log that nobody wrote.
	alien int
	// stops are when the shim was told to end.
	stops []time.Time

	// Of the shim's run.
	message                    string
	audit                      []audit.View
	accepted, foreign, unknown int64
	strong, weak               int64
	idempotent, plain, cuts    int64
	// joined counts the connections to the broker that was added.
	joined int64
}

func (r result) total() (t tallied) {
	for _, c := range r.clients {
		t.add(*c)
	}
	t.duplicated += r.alien
	return t
}

// entry is what is known of one record.
type entry struct {
	acked, failed bool
	seen          uint8
	// repeats is when the record was sent first and last, in Unix milliseconds, if that is more than once.
	repeats [2]int64
}

// over says whether a record was sent before and after one of these moments.
func (e *entry) over(stops []time.Time) bool {
	return e.repeats[1] > 0 && slices.ContainsFunc(stops, func(at time.Time) bool { return e.repeats[0] <= at.UnixMilli() && at.UnixMilli() <= e.repeats[1] })
}

// book is one producer's: by partition, by number.
type book struct {
	client     string
	partitions [][]entry
	last       []int
	wrong      []bool // so was the record before
}

func (b *book) at(partition, number int) *entry {
	for len(b.partitions[partition]) <= number {
		b.partitions[partition] = append(b.partitions[partition], entry{})
	}
	return &b.partitions[partition][number]
}

// verify reads every partition and compares it to the ledgers.
func (r *stage) verify(ctx context.Context, workers []*process, topic string, one *result) error {
	one.clients = make(map[string]*tallied)
	books := make(map[string]*book)
	for _, w := range workers {
		b, err := readLedger(w)
		if err != nil {
			return err
		}
		books[w.me] = b
		if one.clients[w.client] == nil {
			one.clients[w.client] = &tallied{}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	err := rig.ReadAll(ctx, r.cluster.State().Bootstrap.Plaintext, topic, func(record *kgo.Record) {
		me, partition, number, ok := parse(record.Value)
		b := books[me]
		if !ok || b == nil || partition != int(record.Partition) {
			one.alien++
			return
		}
		t := one.clients[b.client]
		t.read++
		if record.ProducerID < 0 {
			t.bare++
		}
		wrong := b.meet(t, partition, number, one.stops)
		if wrong != "" && !b.wrong[partition] { // the first of those that follow one another
			one.remember(fmt.Sprintf("%s %d of partition %d, at offset %d of %s, producer ID %d epoch %d: %s", me, number, partition, record.Offset,
				record.Timestamp.Format("15:04:05.000"), record.ProducerID, record.ProducerEpoch, wrong))
		}
		b.wrong[partition] = wrong != ""
	})
	if err != nil {
		return err
	}
	for me, b := range books {
		for _, missing := range b.sum(one.clients[b.client]) {
			one.remember(me + " " + missing)
		}
	}
	return nil
}

// remember an example of what is wrong.
func (r *result) remember(what string) {
	if r.stretches++; len(r.examples) < maxExamples {
		r.examples = append(r.examples, what)
	}
}

const maxExamples = 40

// meet a record in the log, and say what is wrong about it.
func (b *book) meet(t *tallied, partition, number int, stops []time.Time) string {
	e := b.at(partition, number)
	if e.seen < 255 {
		e.seen++
	}
	if e.seen == 2 && e.over(stops) {
		t.forgotten++
		return ""
	}
	if e.seen > 1 {
		t.duplicated++
		return "a copy"
	}
	if number < b.last[partition] {
		t.reordered++
		return fmt.Sprintf("it comes after %d", b.last[partition])
	}
	b.last[partition] = number
	return ""
}

// sum up what the ledger says, and say which records are missing.
func (b *book) sum(t *tallied) (missing []string) {
	for partition, entries := range b.partitions {
		for number, e := range entries {
			switch {
			case e.acked:
				t.acknowledged++
				if e.seen == 0 {
					t.lost++
					missing = append(missing, fmt.Sprintf("%d of partition %d: lost", number, partition))
				}
			case e.failed:
				t.failed++
				if e.seen > 0 {
					t.written++
				}
			}
		}
	}
	return missing
}

func parse(value []byte) (me string, partition, number int, ok bool) {
	n, err := fmt.Sscan(string(value[:min(60, len(value))]), &me, &partition, &number)
	return me, partition, number, err == nil && n == 3 && partition >= 0 && number >= 0
}

func readLedger(w *process) (*book, error) {
	file, err := os.Open(w.ledger)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b := &book{client: w.client, partitions: make([][]entry, maxPartitions), last: make([]int, maxPartitions), wrong: make([]bool, maxPartitions)}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		var kind string
		var partition, number int
		if n, err := fmt.Sscan(lines.Text(), &kind, &partition, &number); n != 3 || partition >= maxPartitions {
			return nil, fmt.Errorf("%s: %q is no entry: %w", w.ledger, lines.Text(), err)
		}
		e := b.at(partition, number)
		if kind == "R" {
			if _, err := fmt.Sscanf(lines.Text(), "R %d %d %d %d", &partition, &number, &e.repeats[0], &e.repeats[1]); err != nil {
				return nil, fmt.Errorf("%s: %q is no entry: %w", w.ledger, lines.Text(), err)
			}
			continue
		}
		e.acked = e.acked || kind == "A"
		e.failed = e.failed || kind == "F"
	}
	return b, lines.Err()
}

const maxPartitions = 64

// summary is a run in one line.
func (r result) summary() string {
	t, name := r.total(), map[bool]string{true: "with the shim", false: "without it"}[r.through]
	return fmt.Sprintf("%s: %d records acknowledged, %d faults, %d lost, %d duplicated, %d reordered, %.0f s", name, t.acknowledged, r.faults, t.lost, t.duplicated,
		t.reordered, r.took.Seconds())
}

// print the table.
func print(results []result) {
	fmt.Printf("\n%-8s %-11s %10s %8s %6s %10s %9s %8s %8s\n", "RUN", "CLIENT", "ACKED", "LOST", "DUPL.", "REORDERED", "FAILED", "WRITTEN", "NO PID")
	for _, r := range results {
		name := map[bool]string{true: "shim", false: "direct"}[r.through]
		var clients []string
		for c := range r.clients {
			clients = append(clients, c)
		}
		slices.Sort(clients)
		row := func(client string, t tallied) {
			fmt.Printf("%-8s %-11s %10d %8d %6d %10d %9d %8d %8d\n", name, client, t.acknowledged, t.lost, t.duplicated, t.reordered, t.failed, t.written, t.bare)
		}
		for _, c := range clients {
			row(c, *r.clients[c])
		}
		row("all", r.total())
	}
	fmt.Println()
	for _, r := range results {
		fmt.Println(r.summary())
		fmt.Printf("  faults: %s\n", tally(r.counts))
		for _, s := range r.skipped {
			fmt.Printf("  skipped: %s\n", s)
		}
		if r.through {
			if r.stretches > 0 {
				fmt.Printf("  %d stretches of records are wrong; the first of them, as they stand in the log:\n", r.stretches)
			}
			for _, e := range r.examples {
				fmt.Printf("    %s\n", e)
			}
			r.printShim()
		}
	}
}

func (r result) printShim() {
	fmt.Printf("  at the brokers: %d Produce requests with acks=-1 and %d with less, %d batches with a producer ID and %d without, %d connections cut\n",
		r.strong, r.weak, r.idempotent, r.plain, r.cuts)
	fmt.Printf("  leaks: %d connections to the brokers, %d of them to the one that was added; %d of another process than the shim, %d gone before that was known\n",
		r.accepted, r.joined, r.foreign, r.unknown)
	fmt.Printf("  the shim's last words: %s\n", r.message)
	for _, v := range r.audit {
		fmt.Printf("  audit: %q %s %s: acks %v, %d retries, %d resends recognised, %d doubts, %d unheard failures; %s\n", v.ClientID, v.Library, v.LibraryVersion,
			v.Seen.Acks, v.Done.Retries, v.Done.Resends, v.Done.Doubts, v.Done.Unheard, strings.Join(v.Findings, "; "))
	}
}

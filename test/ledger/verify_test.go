package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// log of one producer and one partition, as the ledger has it and as the brokers have it.
func TestWhatIsWrongIsSeen(t *testing.T) {
	for _, tt := range []struct {
		name, ledger string
		log          []int
		want         tallied
	}{
		{"all is there, once and in order", "A 0 0\nA 0 1\nA 0 2\n", []int{0, 1, 2}, tallied{acknowledged: 3, read: 3}},
		{"one is lost", "A 0 0\nA 0 1\nA 0 2\n", []int{0, 2}, tallied{acknowledged: 3, lost: 1, read: 2}},
		{"one is there three times", "A 0 0\nA 0 1\n", []int{0, 1, 1, 1}, tallied{acknowledged: 2, duplicated: 2, read: 4}},
		{"a copy that comes late is a copy, and not out of order", "A 0 0\nA 0 1\n", []int{0, 1, 0}, tallied{acknowledged: 2, duplicated: 1, read: 3}},
		{"one comes after a later one", "A 0 0\nA 0 1\nA 0 2\n", []int{0, 2, 1}, tallied{acknowledged: 3, reordered: 1, read: 3}},
		{"one that failed may be missing", "A 0 0\nF 0 1\n# EOF\n", []int{0}, tallied{acknowledged: 1, failed: 1, read: 1}},
		{"and may be there", "A 0 0\nF 0 1\n", []int{0, 1}, tallied{acknowledged: 1, failed: 1, written: 1, read: 2}},
		{"but not twice", "F 0 0\n", []int{0, 0}, tallied{failed: 1, written: 1, duplicated: 1, read: 2}},
		{"one that was repeated may not be twice", "R 0 0 1000 2000\nA 0 0\n", []int{0, 0}, tallied{acknowledged: 1, duplicated: 1, read: 2}},
		{"but if the shim was stopped meanwhile", "R 0 0 4000 6000\nA 0 0\n", []int{0, 0}, tallied{acknowledged: 1, forgotten: 1, read: 2}},
		{"and then not three times", "R 0 0 4000 6000\nA 0 0\n", []int{0, 0, 0}, tallied{acknowledged: 1, forgotten: 1, duplicated: 1, read: 3}},
		{"the last one is lost", "A 0 0\nA 0 7\n", []int{0}, tallied{acknowledged: 2, lost: 1, read: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger")
			if err := os.WriteFile(path, []byte(tt.ledger), 0o644); err != nil {
				t.Fatal(err)
			}
			b, err := readLedger(&process{client: "c", ledger: path})
			if err != nil {
				t.Fatal(err)
			}
			var got tallied
			for _, number := range tt.log {
				got.read++
				b.meet(&got, 0, number, []time.Time{time.UnixMilli(5000)})
			}
			b.sum(&got)
			if got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
			if wrong := tt.want.lost+tt.want.duplicated+tt.want.reordered > 0; got.wrong() != wrong {
				t.Errorf("it is wrong: %t", got.wrong())
			}
		})
	}
}

// What a worker writes is what is read.
func TestValuesAreParsed(t *testing.T) {
	w := &worker{me: "sarama-1", numbers: make([]int, 3)}
	for want := range 1200 {
		number, value := w.value(2)
		me, partition, parsed, ok := parse(value)
		if number != want || me != "sarama-1" || partition != 2 || parsed != want || !ok || len(value) != 100 {
			t.Fatalf("%q: %s %d %d %t", value, me, partition, parsed, ok)
		}
	}
	for _, alien := range []string{"", "x", "a b c", "a -1 3", "a 1 -3", strings.Repeat("a", 100)} {
		if _, _, _, ok := parse([]byte(alien)); ok {
			t.Errorf("%q is taken for a record of ours", alien)
		}
	}
}

func TestALedgerWithGarbageIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	for _, text := range []string{"A 0 0\nA 0\n", "R 0 0 12\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readLedger(&process{ledger: path}); err == nil {
			t.Errorf("half an entry is taken for one: %q", text)
		}
	}
}

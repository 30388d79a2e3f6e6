//go:build e2e

package e2e

import (
	"context"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"
)

// readAll is every record of a topic, as of now; those of transactions that were not committed are left out.
func readAll(ctx context.Context, topic string) []*kgo.Record {
	GinkgoHelper()
	ends, err := brokers.Admin.ListEndOffsets(ctx, topic)
	Expect(err).NotTo(HaveOccurred())
	Expect(ends.Error()).NotTo(HaveOccurred())
	consumer, err := kgo.NewClient(kgo.SeedBrokers(brokers.Seeds...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	Expect(err).NotTo(HaveOccurred())
	defer consumer.Close()
	left := make(map[int32]int64)
	for _, end := range ends[topic] {
		if end.Offset > 0 {
			left[end.Partition] = end.Offset
		}
	}
	var records []*kgo.Record
	for len(left) > 0 {
		fetches := consumer.PollFetches(ctx)
		Expect(ctx.Err()).NotTo(HaveOccurred(), "partitions and ends that were not reached: %v", left)
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() {
				records = append(records, r)
			}
		})
	}
	return records
}

// ledger compares what an app was told with what is on the brokers.
type ledger struct {
	// Written records of the run, each counted once.
	Written int64
	// Lost were acknowledged and are not there. Duplicated are there again. Reordered come after a later one in their partition.
	Lost, Duplicated, Reordered int64
	// Plain records have no producer ID.
	Plain int64
}

// account reads a topic for one run, none of whose records failed: each number up to the last must be there.
func account(ctx context.Context, topic string, app outcome) ledger {
	GinkgoHelper()
	Expect(app.Failed).To(BeZero(), app.Why)
	Expect(app.Acknowledged).To(Equal(app.Sent))
	return tally(ctx, topic, app.ID, app.Sent)
}

// tally reads a topic for one run, whose records up to a number were all acknowledged. Later ones may be there or not.
func tally(ctx context.Context, topic, id string, acknowledged int64) ledger {
	GinkgoHelper()
	var l ledger
	seen, last := make(map[int64]bool), make(map[int32]int64)
	for _, r := range readAll(ctx, topic) {
		run, text, _ := strings.Cut(string(r.Value), " ")
		if run != id {
			continue
		}
		number, err := strconv.ParseInt(text, 10, 64)
		Expect(err).NotTo(HaveOccurred())
		switch {
		case seen[number]:
			l.Duplicated++
		case number < last[r.Partition]:
			l.Reordered++
		}
		seen[number], last[r.Partition] = true, max(last[r.Partition], number)
		if r.ProducerID < 0 {
			l.Plain++
		}
	}
	l.Written = int64(len(seen))
	for number := int64(1); number <= acknowledged; number++ {
		if !seen[number] {
			l.Lost++
		}
	}
	return l
}

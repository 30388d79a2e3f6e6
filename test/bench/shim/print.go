package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mooring.dev/mooring/hack/localkafka/local"
)

// middle is the median of each figure by itself.
func middle(samples []sample) (m sample) {
	m.rate = median(samples, func(s sample) float64 { return s.rate })
	m.megabytes = median(samples, func(s sample) float64 { return s.megabytes })
	m.cpu = median(samples, func(s sample) float64 { return s.cpu })
	m.rss = median(samples, func(s sample) int64 { return s.rss })
	m.p50 = median(samples, func(s sample) time.Duration { return s.p50 })
	m.p99 = median(samples, func(s sample) time.Duration { return s.p99 })
	return m
}

func median[T cmp.Ordered](samples []sample, of func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// ratio of two ways is the median of the ratios of each round: what disturbs a round disturbs both.
func ratio(a, b []sample) float64 {
	values := make([]float64, len(a))
	for i := range a {
		values[i] = a[i].rate / b[i].rate
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (b *bench) print() {
	brokers := "kfake, which forgets what it is sent; clients with acks=1"
	if b.apache {
		brokers = "Apache Kafka " + local.KafkaVersion + ", replicated three times; clients with acks=all"
	}
	fmt.Printf("\nthree brokers: %s, without idempotence\n%d rounds of %s for each; medians; ratios are of the same round\n\n", brokers, b.rounds, b.took)
	direct, relay, copier := b.ways[direct], b.ways[splicing], b.ways[copier]
	for _, k := range works {
		fmt.Printf("%-20s %-30s %11s %9s %9s %9s %9s %9s %9s %9s %9s\n", "WORK", "WAY", "RECORDS/S", "MB/S", "OF DIRECT", "OF SPLICE", "OF COPY", "CPU S/GB", "RSS", "P50", "P99")
		for _, w := range b.ways {
			s := middle(w.samples[k.name])
			line := fmt.Sprintf("%-20s %-30s %11.0f %9.1f %9.3f", k.name, w.name, s.rate, s.megabytes, ratio(w.samples[k.name], direct.samples[k.name]))
			for _, floor := range []*way{relay, copier} {
				line += fmt.Sprintf(" %9s", unless(w == direct, fmt.Sprintf("%.3f", ratio(w.samples[k.name], floor.samples[k.name]))))
			}
			line += fmt.Sprintf(" %9s", unless(w.pid == 0 || k.sync, fmt.Sprintf("%.3f", s.cpu)))
			line += fmt.Sprintf(" %9s", unless(w.pid == 0, fmt.Sprintf("%.1f MB", float64(s.rss)/1e6)))
			line += fmt.Sprintf(" %9s %9s", unless(!k.sync, s.p50.Round(time.Microsecond).String()), unless(!k.sync, s.p99.Round(time.Microsecond).String()))
			fmt.Println(line)
		}
		fmt.Println()
	}
	b.judge()
}

func unless(no bool, text string) string {
	if no {
		return "-"
	}
	return text
}

// judge compares with the budgets, which are for kfake: where the brokers are slow, everything else looks fast.
func (b *bench) judge() {
	direct, acks, idempotent := b.ways[direct], b.ways[acks], b.ways[idempotent]
	large, single := works[0].name, works[2].name
	i, d, a := middle(idempotent.samples[single]), middle(direct.samples[single]), middle(acks.samples[single])
	fmt.Printf("idle, before any work: ")
	for _, w := range b.ways[1:] {
		fmt.Printf("%s %.1f MB  ", w.name, float64(w.idle)/1e6)
	}
	fmt.Println()
	var most int64
	for _, w := range b.ways[auditing:] {
		for _, samples := range w.samples {
			for _, s := range samples {
				most = max(most, s.rss)
			}
		}
	}
	if b.apache {
		return
	}
	al, il := middle(acks.samples[large]), middle(idempotent.samples[large])
	verdict := func(what string, have, budget float64, good bool) {
		fmt.Printf("  %-72s %8.3f  budget %8.3f  %s\n", what, have, budget, map[bool]string{true: "met", false: "MISSED"}[good])
	}
	fmt.Println("budgets:")
	for _, relay := range []*way{b.ways[copier], b.ways[splicing]} {
		r, rl, of := middle(relay.samples[single]), middle(relay.samples[large]), " (of "+relay.name+")"
		for _, w := range []*way{acks, idempotent} {
			x := ratio(w.samples[large], relay.samples[large])
			verdict("throughput of "+large+", "+w.name+of, x, 0.95, x >= 0.95)
		}
		verdict("CPU a GB, "+acks.name+of, al.cpu/rl.cpu, 1.6, al.cpu <= 1.6*rl.cpu)
		verdict("CPU a GB, "+idempotent.name+of, il.cpu/rl.cpu, 1.6, il.cpu <= 1.6*rl.cpu)
		added := func(s sample) float64 { return float64(s.p50-d.p50) / float64(r.p50-d.p50) }
		verdict("added p50, "+acks.name+of, added(a), 1.2, added(a) <= 1.2)
		verdict("added p50, "+idempotent.name+of, added(i), 1.2, added(i) <= 1.2)
	}
	idle := max(acks.idle, idempotent.idle)
	verdict("idle, MB", float64(idle)/1e6, 12, idle <= 12e6)
	verdict("under load, the most of any round, MB", float64(most)/1e6, 30, most <= 30e6)
	x := ratio(idempotent.samples[large], acks.samples[large])
	verdict("throughput of "+idempotent.name+" of "+acks.name, x, 0.95, x >= 0.95)
}

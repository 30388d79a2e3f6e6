package franz

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/coalesce"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

const (
	// maxRecordsPerBatch is how much one request may come to in KRaft, where a new topic, a partition and a key of a
	// configuration are a record each: above it the whole request is refused with POLICY_VIOLATION
	// (QuorumController.MAX_RECORDS_PER_USER_OP, Kafka 3.x and 4.x; TestTrap6TheLimitsOfOneRequest holds it against a broker).
	maxRecordsPerBatch = 10_000
	// requestTimeout is the timeout field of admin requests: how long the controller may take.
	requestTimeout = 15 * time.Second
	// batchTimeout is above requestTimeout, so that the broker's own answer comes first.
	batchTimeout = 25 * time.Second
	// linger is how long a busy kind of request waits for company. It is below what one look at a topic takes anyway.
	linger = 10 * time.Millisecond
)

// Admin is a kafka.Admin over one client. It owns the client.
type Admin struct {
	client  *kgo.Client
	version atomic.Uint64
	view    *view
	meter   Meter

	create    *coalesce.Group[string, topic.Create, topic.ID]
	grow      *coalesce.Group[string, topic.Grow, struct{}]
	configure *coalesce.Group[string, topic.Configure, struct{}]
	remove    *coalesce.Group[topic.ID, topic.Remove, struct{}]
	describe  *coalesce.Group[string, []string, topic.Observed]
}

var _ kafka.Admin = (*Admin)(nil)

// New returns an Admin that has not talked to the cluster yet. The meter may be nil.
func New(client *kgo.Client, m Meter) *Admin {
	a := &Admin{client: client, view: newView(), meter: m}
	a.create = coalesce.New(coalesce.Config[string, topic.Create, topic.ID]{
		Exec: a.execCreate, OnBatch: a.batches("Create"), Weigh: recordsOfCreate, MaxWeight: maxRecordsPerBatch, Split: splitAllRefused[string, topic.ID], Timeout: batchTimeout, Linger: linger,
	})
	a.grow = coalesce.New(coalesce.Config[string, topic.Grow, struct{}]{
		Exec: a.execGrow, OnBatch: a.batches("Grow"), Weigh: recordsOfGrow, MaxWeight: maxRecordsPerBatch, Split: splitAllRefused[string, struct{}], Timeout: batchTimeout, Linger: linger,
	})
	a.configure = coalesce.New(coalesce.Config[string, topic.Configure, struct{}]{
		Exec: a.execConfigure, OnBatch: a.batches("Configure"), Weigh: recordsOfConfigure, MaxWeight: maxRecordsPerBatch, Split: splitAllRefused[string, struct{}], Timeout: batchTimeout, Linger: linger,
	})
	a.remove = coalesce.New(coalesce.Config[topic.ID, topic.Remove, struct{}]{
		Exec: a.execRemove, OnBatch: a.batches("Remove"), Split: splitAllRefused[topic.ID, struct{}], Timeout: batchTimeout, Linger: linger,
	})
	a.describe = coalesce.New(coalesce.Config[string, []string, topic.Observed]{
		Exec: a.execDescribe, OnBatch: a.batches("Describe"), Merge: unionKeys, Parallel: 2, Timeout: batchTimeout, Linger: linger,
	})
	return a
}

// Close closes the client. Calls under way fail.
func (a *Admin) Close() { a.client.Close() }

// Info implements kafka.Admin.
func (a *Admin) Info() kafka.ClusterInfo { return a.view.clusterInfo() }

// Forget implements kafka.Admin.
func (a *Admin) Forget(name string) { a.view.forget(name) }

// Observe implements kafka.Admin.
func (a *Admin) Observe(ctx context.Context, name string, keys []string, f kafka.Freshness) (topic.Observed, error) {
	a.view.track(name, keys)
	if o, ok := a.view.get(name, keys); ok && f.Admits(o.At) {
		return o, nil
	}
	o, err := a.describe.Do(ctx, name, a.view.keysOf(name))
	return o, kafka.FromClient(err)
}

// Apply implements kafka.Admin.
func (a *Admin) Apply(ctx context.Context, name string, s topic.Step) (kafka.Applied, error) {
	var applied kafka.Applied
	var err error
	switch s := s.(type) {
	case topic.Create:
		applied.ID, err = a.create.Do(ctx, name, s)
	case topic.Grow:
		_, err = a.grow.Do(ctx, name, s)
	case topic.Configure:
		_, err = a.configure.Do(ctx, name, s)
	case topic.Remove:
		_, err = a.remove.Do(ctx, s.ID, s)
	case topic.Reassign:
		err = a.reassign(ctx, s)
	case topic.Unthrottle:
		err = a.unthrottle(ctx, s)
	case topic.Elect:
		err = a.elect(ctx, s)
	default:
		err = kafka.NewError(kafka.ClassUnsupported, "no request carries out %T", s)
	}
	// The version moves on failure too: a request that timed out may have been carried out, so nothing seen before counts.
	applied.Version = a.Bump()
	return applied, kafka.FromClient(err)
}

// Bump implements kafka.Admin.
func (a *Admin) Bump() topic.Version { return topic.Version(a.version.Add(1)) }

// Validate implements kafka.Admin.
func (a *Admin) Validate(ctx context.Context, name string, s topic.Step) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	switch s := s.(type) {
	case topic.Create:
		resp, err := wirereq.Create([]topic.Create{s}, requestTimeout, true).RequestWith(ctx, a.client)
		if err != nil {
			return kafka.FromClient(err)
		}
		return wirereq.CreateAnswers(resp)[name].Err
	case topic.Grow:
		resp, err := wirereq.Grow([]topic.Grow{s}, requestTimeout, true).RequestWith(ctx, a.client)
		if err != nil {
			return kafka.FromClient(err)
		}
		return wirereq.GrowAnswers(resp)[name].Err
	case topic.Configure:
		resp, err := wirereq.Configure([]topic.Configure{s}, true).RequestWith(ctx, a.client)
		if err != nil {
			return kafka.FromClient(err)
		}
		return wirereq.ConfigureAnswers(resp)[name].Err
	}
	return nil // the protocol has no validateOnly for the other steps
}

// Records implements kafka.Admin.
func (a *Admin) Records(ctx context.Context, name string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	admin := kadm.NewClient(a.client)
	first, err := admin.ListStartOffsets(ctx, name)
	if err == nil {
		err = first.Error()
	}
	if err != nil {
		return 0, kafka.FromClient(err)
	}
	last, err := admin.ListEndOffsets(ctx, name)
	if err == nil {
		err = last.Error()
	}
	if err != nil {
		return 0, kafka.FromClient(err)
	}
	var records int64
	last.Each(func(end kadm.ListedOffset) {
		if start, ok := first.Lookup(end.Topic, end.Partition); ok {
			records += end.Offset - start.Offset
		}
	})
	return records, nil
}

// unionKeys merges two looks at the same topic; nil, which is all keys, swallows any other.
func unionKeys(a, b []string) []string {
	if a == nil || b == nil {
		return nil
	}
	return union(a, b)
}

// recordsOfCreate takes the broker's number of partitions, which is not known here, for one. Where it is many, a batch may be
// refused, and is split.
func recordsOfCreate(s topic.Create) int {
	partitions := 1
	if s.Partitions != nil {
		partitions = int(*s.Partitions)
	}
	return 1 + partitions + len(s.Config)
}

func recordsOfGrow(s topic.Grow) int { return int(s.To - s.From) }

func recordsOfConfigure(s topic.Configure) int { return len(s.Changes) }

// splitAllRefused splits a batch that the broker refused as a whole for a reason that may be one item's: every item got
// the same policy violation (too many partitions in one request), or the request itself was invalid.
func splitAllRefused[K comparable, R any](results map[K]coalesce.Result[R], err error) bool {
	if err != nil {
		class := kafka.ClassOf(kafka.FromClient(err))
		return class == kafka.ClassPolicy || class == kafka.ClassInvalid
	}
	if len(results) < 2 {
		return false
	}
	for _, r := range results {
		if class := kafka.ClassOf(r.Err); r.Err == nil || (class != kafka.ClassPolicy && class != kafka.ClassInvalid) {
			return false
		}
	}
	return true
}

var _ kmsg.Requestor = (*kgo.Client)(nil)

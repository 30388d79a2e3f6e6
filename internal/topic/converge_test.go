package topic_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// model is a broker, as far as one topic can tell: it parses the values it is given and answers with its own spelling of them.
type model struct {
	exists     bool
	partitions int
	overrides  map[string]string
}

// modelKeys are keys of each type, with the value that they have without an override.
var modelKeys = map[string]struct {
	kind    topic.Type
	initial string
	// samples are values that a manifest may ask for, in spellings that the broker does not answer with.
	samples []string
}{
	"min.cleanable.dirty.ratio":      {topic.TypeDouble, "0.5", []string{"0.50", "1", "5E-1", "0.25"}},
	"cleanup.policy":                 {topic.TypeList, "delete", []string{"compact", " delete , compact", "delete"}},
	"unclean.leader.election.enable": {topic.TypeBoolean, "false", []string{"TRUE", "false", "False"}},
	"min.insync.replicas":            {topic.TypeInt, "1", []string{"2", "02", "3"}},
	"retention.ms":                   {topic.TypeLong, "604800000", []string{"-1", "+1000", "604800000"}},
	"compression.type":               {topic.TypeString, "producer", []string{"zstd", "producer"}},
}

// canonical is how the broker spells a value (ConfigDef.parseType, then convertToString).
func canonical(kind topic.Type, value string) string {
	switch kind {
	case topic.TypeDouble:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			panic(err)
		}
		if text := strconv.FormatFloat(f, 'f', -1, 64); strings.Contains(text, ".") {
			return text
		} else {
			return text + ".0"
		}
	case topic.TypeInt, topic.TypeLong:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			panic(err)
		}
		return strconv.FormatInt(n, 10)
	case topic.TypeBoolean:
		return strings.ToLower(value)
	case topic.TypeList:
		items := strings.Split(value, ",")
		for i := range items {
			items[i] = strings.TrimSpace(items[i])
		}
		return strings.Join(items, ",")
	}
	return value
}

func (m *model) apply(s topic.Step) {
	switch s := s.(type) {
	case topic.Create:
		m.exists, m.partitions, m.overrides = true, 1, make(map[string]string)
		if s.Partitions != nil {
			m.partitions = int(*s.Partitions)
		}
		for key, value := range s.Config {
			m.overrides[key] = canonical(modelKeys[key].kind, value)
		}
	case topic.Grow:
		m.partitions = int(s.To)
	case topic.Configure:
		for _, c := range s.Changes {
			if c.To == nil {
				delete(m.overrides, c.Key)
			} else {
				m.overrides[c.Key] = canonical(modelKeys[c.Key].kind, *c.To)
			}
		}
	default:
		panic(fmt.Sprintf("the model cannot %T", s))
	}
}

// observe answers for the keys, as DescribeConfigs does; nil is all. Old brokers do not tell the type.
func (m *model) observe(keys []string, types bool) topic.Observed {
	if !m.exists {
		return topic.Observed{}
	}
	if keys == nil {
		keys = slices.Collect(maps.Keys(modelKeys))
	}
	config := make(map[string]topic.Entry)
	for _, key := range keys {
		known, ok := modelKeys[key]
		if !ok {
			continue
		}
		e := inherited(known.initial, known.kind)
		if value, set := m.overrides[key]; set {
			e = override(value, known.kind)
		}
		if !types {
			e.Type = topic.TypeUnknown
		}
		config[key] = e
	}
	return seen(m.partitions, config)
}

// randomCase is a manifest, and the cluster before it.
func randomCase(r *rand.Rand) (*v1alpha1.KafkaTopic, *model) {
	pick := func(set map[string]v1alpha1.ConfigValue, key string) {
		samples := modelKeys[key].samples
		set[key] = v1alpha1.MakeConfigValue(samples[r.IntN(len(samples))])
	}
	t := object(v1alpha1.KafkaTopicSpec{Config: make(map[string]v1alpha1.ConfigValue), Adoption: v1alpha1.AdoptionAdopt}, v1alpha1.KafkaTopicStatus{ClusterID: "c1"})
	m := &model{exists: r.IntN(4) > 0, partitions: 1 + r.IntN(4), overrides: make(map[string]string)}
	for _, key := range slices.Sorted(maps.Keys(modelKeys)) {
		known := modelKeys[key]
		if r.IntN(2) == 0 {
			m.overrides[key] = canonical(known.kind, known.samples[r.IntN(len(known.samples))])
		}
		if key != topic.KeyMinInsyncReplicas && r.IntN(2) == 0 {
			pick(t.Spec.Config, key)
		}
		if r.IntN(6) == 0 {
			t.Spec.UnmanagedConfig = append(t.Spec.UnmanagedConfig, key)
		}
		if value, set := m.overrides[key]; set && r.IntN(3) == 0 {
			if t.Status.ManagedConfig == nil {
				t.Status.ManagedConfig = make(map[string]string)
			}
			t.Status.ManagedConfig[key] = value
		}
	}
	if r.IntN(2) == 0 {
		t.Spec.MinInsyncReplicas = new(int32(1 + r.IntN(4)))
	}
	if r.IntN(2) == 0 {
		t.Spec.Partitions = new(int32(1 + r.IntN(6)))
	}
	if r.IntN(2) == 0 {
		t.Spec.ConfigOwnership = v1alpha1.ConfigExact
	}
	for _, danger := range []v1alpha1.DangerousChange{v1alpha1.PartitionGrowthOnCompactedTopic, v1alpha1.RetentionCut, v1alpha1.CompactionRemoved} {
		if r.IntN(2) == 0 {
			t.Spec.Acknowledge = append(t.Spec.Acknowledge, danger)
		}
	}
	return t, m
}

// TestConvergedTopicYieldsAnEmptyPlan carries plans out on a model of the broker: one round is enough, the second plan has
// no step, what was refused before is refused still and in the same words, and nothing was touched that is not ours.
func TestConvergedTopicYieldsAnEmptyPlan(t *testing.T) {
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 0))
		object, m := randomCase(r)
		types := r.IntN(2) == 0
		before := maps.Clone(m.overrides)
		existed := m.exists

		plan := func() topic.Plan {
			d := topic.FromSpec(object)
			o := m.observe(d.Keys(), types)
			p := topic.PolicyFromSpec(object, "c1", brokers(3))
			plan := topic.MakePlan(d, o, p)
			return plan
		}
		first := plan()
		for _, s := range first.Steps {
			m.apply(s)
		}
		d := topic.FromSpec(object)
		o := m.observe(d.Keys(), types)
		object.Status.TopicID, object.Status.ManagedConfig = o.ID.String(), d.Managed(o)
		second := plan()
		if uncompacted(first) && len(second.Steps) == 1 {
			// Growing a compacted topic was refused, and by now it is not compacted any more.
			if _, grows := second.Steps[0].(topic.Grow); grows {
				m.apply(second.Steps[0])
				second = plan()
				first.Refusals = second.Refusals
			}
		}
		if len(second.Steps) > 0 || len(second.Proposed) > 0 {
			t.Fatalf("seed %d: after %q there is still %q to do", seed, topic.Lines(first.Steps), topic.Lines(second.Steps))
		}
		if diff := cmp.Diff(first.Refusals, second.Refusals); existed && diff != "" {
			t.Fatalf("seed %d: the refusals changed by themselves (-first +second):\n%s", seed, diff)
		}
		for _, s := range first.Steps {
			if !topic.Settled(s, o, ours) {
				t.Fatalf("seed %d: %q was carried out and does not count as settled", seed, s.Lines())
			}
		}
		for _, key := range object.Spec.UnmanagedConfig {
			_, firstClass := d.Config[key] // spec.minInsyncReplicas is said plainly, and wins
			if existed && !firstClass && m.overrides[key] != before[key] {
				t.Fatalf("seed %d: the unmanaged key %s was %q and is %q", seed, key, before[key], m.overrides[key])
			}
		}
	}
}

// uncompacted says whether a plan takes compaction from a topic whose growth it refuses for being compacted.
func uncompacted(p topic.Plan) bool {
	return slices.Contains(reasons(p), v1alpha1.ReasonAcknowledgeRequired) &&
		slices.ContainsFunc(topic.Lines(p.Steps), func(line string) bool { return strings.Contains(line, topic.KeyCleanupPolicy) })
}

// FuzzMakePlan feeds nonsense: a plan never panics, prints, gives a reason with every refusal, never shrinks a topic, and
// is the same when it is made again.
func FuzzMakePlan(f *testing.F) {
	f.Add(uint64(1), "retention.ms", "1000", "-1", int32(3), int8(1), int8(6))
	f.Add(uint64(2), "cleanup.policy", "compact", "delete,", int32(-1), int8(0), int8(7))
	f.Add(uint64(3), "min.insync.replicas", "99999999999999999999", "", int32(0), int8(5), int8(0))
	f.Add(uint64(4), "", "\x00", ",,,", int32(1<<30), int8(-7), int8(127))
	f.Fuzz(func(t *testing.T, seed uint64, key, wanted, found string, partitions int32, source, kind int8) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := topic.Desired{Name: key, Partitions: &partitions, Config: map[string]string{key: wanted}, Exact: r.IntN(2) == 0, Retired: []string{key, found}}
		if r.IntN(2) == 0 {
			d.Replication = new(int16(partitions))
		}
		o := seen(r.IntN(4), map[string]topic.Entry{
			key:   {Value: &found, Source: topic.Source(source), Type: topic.Type(kind), ReadOnly: r.IntN(4) == 0},
			found: {Source: topic.Source(kind), Type: topic.Type(source)},
		})
		switch r.IntN(4) {
		case 0:
			o = topic.Observed{}
		case 1:
			o.ID = theirs
		}
		p := topic.Policy{
			Mode:      []v1alpha1.TopicMode{"", v1alpha1.ModeManage, v1alpha1.ModeObserve}[r.IntN(3)],
			Adoption:  []v1alpha1.AdoptionPolicy{"", v1alpha1.AdoptionAdopt, v1alpha1.AdoptionRefuse, v1alpha1.AdoptionReview}[r.IntN(4)],
			OnMissing: []v1alpha1.MissingPolicy{"", v1alpha1.MissingAlert, v1alpha1.MissingRecreate}[r.IntN(3)],
			Owned:     []topic.ID{{}, ours, theirs}[r.IntN(3)],
			Cluster:   brokers(r.IntN(4)),
			Untaken:   []topic.Change{{Key: key, To: &wanted}, {Key: found}}[:r.IntN(3)],
		}
		plan := topic.MakePlan(d, o, p)
		for _, refusal := range plan.Refusals {
			if refusal.Reason == "" || refusal.Message == "" {
				t.Errorf("a refusal without a reason or a message: %+v", refusal)
			}
		}
		if p.Mode == v1alpha1.ModeObserve && len(plan.Steps) > 0 {
			t.Errorf("mode Observe writes: %q", topic.Lines(plan.Steps))
		}
		for _, s := range append(plan.Steps, plan.Proposed...) {
			if g, ok := s.(topic.Grow); ok && (g.To <= g.From || int(g.From) != len(o.Partitions)) {
				t.Errorf("grow from %d to %d with %d partitions", g.From, g.To, len(o.Partitions))
			}
			if _, ok := s.(topic.Create); ok && o.Exists() {
				t.Error("create of a topic that exists")
			}
			if len(s.Lines()) == 0 {
				t.Errorf("a step without words: %#v", s)
			}
			topic.Settled(s, o, ours)
		}
		if diff := cmp.Diff(plan, topic.MakePlan(d, o, p)); diff != "" {
			t.Errorf("not the same twice:\n%s", diff)
		}
	})
}

package topic_test

import (
	"testing"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

func TestMakePlanConfig(t *testing.T) {
	type config = map[string]string
	type entries = map[string]topic.Entry
	readOnly := func(e topic.Entry) topic.Entry { e.ReadOnly = true; return e }
	sensitive := topic.Entry{Source: topic.SourceDynamicTopic, Type: topic.TypePassword}

	tests := map[string]struct {
		reason      string
		desired     topic.Desired
		found       entries
		untaken     []topic.Change
		acknowledge []v1alpha1.DangerousChange
		steps       []string
		refused     []string
	}{
		"a key that is not there is set": {
			reason: "nothing was seen, so there is no 'is'", desired: topic.Desired{Config: config{"segment.ms": "1000"}},
			steps: []string{"set segment.ms to 1000"},
		},
		"another value is set, and the old one shown": {
			reason: "a plan says what it replaces", desired: topic.Desired{Config: config{"segment.ms": "1000"}},
			found: entries{"segment.ms": override("5", topic.TypeLong)},
			steps: []string{"set segment.ms to 1000 (is 5)"},
		},
		"a default that says the same needs no override": {
			reason: "the value in force counts, wherever it comes from", desired: topic.Desired{Config: config{"segment.ms": "1000"}},
			found: entries{"segment.ms": inherited("1000", topic.TypeLong)},
		},
		"a default that differs is overridden": {
			reason: "the value in force counts", desired: topic.Desired{Config: config{"segment.ms": "1000"}},
			found: entries{"segment.ms": inherited("5", topic.TypeLong)},
			steps: []string{"set segment.ms to 1000 (is 5)"},
		},
		"all changes of a topic travel in one step, sorted": {
			reason: "one request per topic, and a plan that reads the same each time", desired: topic.Desired{Config: config{"b": "2", "a": "1", "c": "3"}},
			found: entries{"c": override("3", topic.TypeString)},
			steps: []string{"set a to 1", "set b to 2"},
		},
		"0.50 is 0.5": {
			reason: "the broker answers with the parsed value (trap 7)", desired: topic.Desired{Config: config{"min.cleanable.dirty.ratio": "0.50"}},
			found: entries{"min.cleanable.dirty.ratio": override("0.5", topic.TypeDouble)},
		},
		"1 is 1.0 for a double": {
			reason: "the broker answers with the parsed value (trap 7)", desired: topic.Desired{Config: config{"min.cleanable.dirty.ratio": "1"}},
			found: entries{"min.cleanable.dirty.ratio": override("1.0", topic.TypeDouble)},
		},
		"1 is 1.0 for a double, though the broker does not tell the type": {
			reason: "DescribeConfigs before v3 has no types", desired: topic.Desired{Config: config{"min.cleanable.dirty.ratio": "1"}},
			found: entries{"min.cleanable.dirty.ratio": override("1.0", topic.TypeUnknown)},
		},
		"0.5 is not 0.6": {
			reason: "a double that differs is drift", desired: topic.Desired{Config: config{"min.cleanable.dirty.ratio": "0.6"}},
			found: entries{"min.cleanable.dirty.ratio": override("0.5", topic.TypeDouble)},
			steps: []string{"set min.cleanable.dirty.ratio to 0.6 (is 0.5)"},
		},
		"list spacing does not count": {
			reason: "the broker drops the spaces (trap 7)", desired: topic.Desired{Config: config{"cleanup.policy": "compact, delete"}},
			found: entries{"cleanup.policy": override("compact,delete", topic.TypeList)},
		},
		"an empty value is set": {
			reason: "the empty string is a value, and not 'unset'", desired: topic.Desired{Config: config{"x": ""}},
			found: entries{"x": override("a", topic.TypeString)},
			steps: []string{`set x to "" (is a)`},
		},
		"Merge leaves a key alone that the manifest does not name": {
			reason: "Merge owns the named keys only", desired: topic.Desired{},
			found: entries{"segment.ms": override("5", topic.TypeLong)},
		},
		"a key that we set and no longer want is reset": {
			reason: "retired keys are ours to reset", desired: topic.Desired{Retired: []string{"segment.ms"}},
			found: entries{"segment.ms": override("5", topic.TypeLong)},
			steps: []string{"reset segment.ms (is 5)"},
		},
		"a retired key that somebody reset already needs nothing": {
			reason: "only overrides are reset: managed services refuse the rest (trap 10)", desired: topic.Desired{Retired: []string{"segment.ms", "gone"}},
			found: entries{"segment.ms": inherited("5", topic.TypeLong)},
		},
		"Exact resets an override that the manifest does not name": {
			reason: "Exact owns every override", desired: topic.Desired{Exact: true, Config: config{"a": "1"}},
			found: entries{"a": override("1", topic.TypeString), "segment.ms": override("5", topic.TypeLong), "index.interval.bytes": inherited("4096", topic.TypeInt)},
			steps: []string{"reset segment.ms (is 5)"},
		},
		"Exact leaves unmanaged keys, throttles, read-only keys and defaults of brokers alone": {
			reason: "none of them is ours (traps 9 and 10)", desired: topic.Desired{Exact: true, Unmanaged: []string{"segment.ms"}},
			found: entries{
				"segment.ms":                              override("5", topic.TypeLong),
				"leader.replication.throttled.replicas":   override("0:1", topic.TypeList),
				"follower.replication.throttled.replicas": override("*", topic.TypeList),
				"cloud.only":                              readOnly(override("x", topic.TypeString)),
				"retention.ms":                            {Value: new("9"), Source: topic.SourceDynamicBroker, Type: topic.TypeLong},
				"retention.bytes":                         {Value: new("9"), Source: topic.SourceDynamicDefaultBroker, Type: topic.TypeLong},
				"max.message.bytes":                       {Value: new("9"), Source: topic.SourceStaticBroker, Type: topic.TypeInt},
			},
		},
		"a throttle that is retired is left alone": {
			reason: "a running reassignment may have set it (trap 9)", desired: topic.Desired{Retired: []string{"leader.replication.throttled.replicas"}},
			found: entries{"leader.replication.throttled.replicas": override("0:1", topic.TypeList)},
		},
		"an unmanaged key that is retired is left alone": {
			reason: "a key that moves to unmanagedConfig keeps its value", desired: topic.Desired{Retired: []string{"segment.ms"}, Unmanaged: []string{"segment.ms"}},
			found: entries{"segment.ms": override("5", topic.TypeLong)},
		},
		"a sensitive key that is set is not compared": {
			reason: "the broker never tells, and setting it again would be for ever (trap 9)", desired: topic.Desired{Config: config{"secret": "x"}},
			found: entries{"secret": sensitive},
		},
		"a sensitive key that is not set on the topic is set": {
			reason: "then there is something to do", desired: topic.Desired{Config: config{"secret": "x"}},
			found: entries{"secret": {Source: topic.SourceDefault, Type: topic.TypePassword}},
			steps: []string{"set secret to x"},
		},
		"a read-only key is refused, and the others go ahead": {
			reason: "the broker would refuse all of them together (traps 9 and 11)", desired: topic.Desired{Config: config{"fixed": "2", "free": "2"}},
			found:   entries{"fixed": readOnly(override("1", topic.TypeString)), "free": override("1", topic.TypeString)},
			steps:   []string{"set free to 2 (is 1)"},
			refused: []string{v1alpha1.ReasonReadOnlyConfig},
		},
		"a read-only key that has the value needs nothing": {
			reason: "there is nothing to refuse", desired: topic.Desired{Config: config{"fixed": "1"}},
			found: entries{"fixed": readOnly(override("1", topic.TypeString))},
		},
		"a value that did not take is not sent again": {
			reason: "it is reported once and not repeated (trap 7)", desired: topic.Desired{Config: config{"a": "2", "b": "2"}},
			found:   entries{"a": override("1", topic.TypeString), "b": override("1", topic.TypeString)},
			untaken: []topic.Change{{Key: "a", To: new("2")}},
			steps:   []string{"set b to 2 (is 1)"},
			refused: []string{v1alpha1.ReasonValueNotTaken},
		},
		"another value of a key that did not take is sent": {
			reason: "the manifest changed", desired: topic.Desired{Config: config{"a": "3"}},
			found:   entries{"a": override("1", topic.TypeString)},
			untaken: []topic.Change{{Key: "a", To: new("2")}, {Key: "a"}, {Key: "b", To: new("3")}},
			steps:   []string{"set a to 3 (is 1)"},
		},
		"a reset that did not take is not sent again": {
			reason: "managed services refuse resets without saying so (trap 10)", desired: topic.Desired{Retired: []string{"a"}},
			found:   entries{"a": override("1", topic.TypeString)},
			untaken: []topic.Change{{Key: "a"}},
			refused: []string{v1alpha1.ReasonValueNotTaken},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := adopt()
			p.Untaken, p.Acknowledged = tt.untaken, tt.acknowledge
			tt.desired.Name = "orders"
			check(t, tt.reason, topic.MakePlan(tt.desired, seen(1, tt.found), p), tt.steps, nil, tt.refused)
		})
	}
}

// Changes that delete records wait until the manifest names them (trap 18).
func TestMakePlanDangerousConfig(t *testing.T) {
	tests := map[string]struct {
		reason   string
		key      string
		from, to string
		source   topic.Source
		reset    bool
		fallback *string                  // what the broker says that a reset leads to
		danger   v1alpha1.DangerousChange // empty: harmless
	}{
		"compact to delete":                  {key: "cleanup.policy", from: "compact", to: "delete", danger: v1alpha1.CompactionRemoved, reason: "the last value of every key goes"},
		"compact,delete to delete":           {key: "cleanup.policy", from: "compact,delete", to: "delete", danger: v1alpha1.CompactionRemoved, reason: "compaction goes"},
		"inherited compact to delete":        {key: "cleanup.policy", from: "compact", to: "delete", source: topic.SourceStaticBroker, danger: v1alpha1.CompactionRemoved, reason: "who set it does not matter"},
		"compact to empty":                   {key: "cleanup.policy", from: "compact", to: "", danger: v1alpha1.CompactionRemoved, reason: "compaction goes, though nothing is deleted by time"},
		"compact to compact,delete":          {key: "cleanup.policy", from: "compact", to: "delete, compact", reason: "compaction stays"},
		"delete to compact":                  {key: "cleanup.policy", from: "delete", to: "compact", reason: "nothing is deleted by time any more"},
		"compact reset":                      {key: "cleanup.policy", from: "compact", reset: true, danger: v1alpha1.CompactionRemoved, reason: "the default is delete"},
		"compact reset to compact":           {key: "cleanup.policy", from: "compact", reset: true, fallback: new("compact,delete"), reason: "the broker compacts too"},
		"retention reset to less":            {key: "retention.ms", from: "2000", reset: true, fallback: new("1999"), danger: v1alpha1.RetentionCut, reason: "the broker's own value cuts as any other"},
		"retention reset to more":            {key: "retention.ms", from: "2000", reset: true, fallback: new("604800000"), reason: "nothing goes"},
		"retention reset to who knows what":  {key: "retention.ms", from: "2000", reset: true, danger: v1alpha1.RetentionCut, reason: "what is not known may be less"},
		"unlimited retention reset":          {key: "retention.bytes", from: "-1", reset: true, fallback: new("1"), danger: v1alpha1.RetentionCut, reason: "-1 is more than any number"},
		"size reset to unlimited":            {key: "retention.bytes", from: "2000", reset: true, fallback: new("-1"), reason: "nothing goes"},
		"delete reset":                       {key: "cleanup.policy", from: "delete", reset: true, reason: "there was no compaction"},
		"retention cut":                      {key: "retention.ms", from: "2000", to: "1999", danger: v1alpha1.RetentionCut, reason: "records between go"},
		"retention raised":                   {key: "retention.ms", from: "2000", to: "2001", reason: "nothing goes"},
		"no retention raised":                {key: "retention.ms", from: "0", to: "5", reason: "0 is less than any number, and not unlimited"},
		"unlimited retention limited":        {key: "retention.ms", from: "-1", to: "9000000000000", danger: v1alpha1.RetentionCut, reason: "-1 is more than any number"},
		"retention made unlimited":           {key: "retention.ms", from: "2000", to: "-1", reason: "-1 is more than any number"},
		"inherited retention cut":            {key: "retention.ms", from: "2000", to: "1", source: topic.SourceDefault, danger: v1alpha1.RetentionCut, reason: "who set it does not matter"},
		"size cut":                           {key: "retention.bytes", from: "2000", to: "1999", danger: v1alpha1.RetentionCut, reason: "records beyond it go"},
		"unlimited size limited":             {key: "retention.bytes", from: "-1", to: "1", danger: v1alpha1.RetentionCut, reason: "-1 is more than any number"},
		"size raised":                        {key: "retention.bytes", from: "2000", to: "3000", reason: "nothing goes"},
		"local retention is not retention":   {key: "local.retention.ms", from: "2000", to: "1", reason: "remote storage still has the records"},
		"segment.ms is harmless":             {key: "segment.ms", from: "2000", to: "1", reason: "rolling segments deletes nothing"},
		"a retention that is not a number":   {key: "retention.ms", from: "2000", to: "soon", reason: "the broker says what is wrong with it"},
		"a retention cut to a negative text": {key: "retention.ms", from: "2000", to: "-5", reason: "the broker says what is wrong with it"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			source := topic.SourceDynamicTopic
			if tt.source != topic.SourceUnknown {
				source = tt.source
			}
			o := seen(1, map[string]topic.Entry{tt.key: {Value: &tt.from, Fallback: tt.fallback, Source: source, Type: topic.KnownValueType(tt.key)}})
			d := topic.Desired{Name: "orders", Config: map[string]string{tt.key: tt.to}}
			if tt.reset {
				d = topic.Desired{Name: "orders", Retired: []string{tt.key}}
			}
			plan := topic.MakePlan(d, o, adopt())
			if tt.danger == "" {
				if len(plan.Refusals) != 0 || len(plan.Steps) != 1 {
					t.Fatalf("%s: want one step, got %+v", tt.reason, plan)
				}
				return
			}
			if len(plan.Steps) != 0 || len(plan.Refusals) != 1 || plan.Refusals[0].Reason != v1alpha1.ReasonAcknowledgeRequired {
				t.Fatalf("%s: want a refusal, got %+v", tt.reason, plan)
			}
			p := adopt()
			p.Acknowledged = []v1alpha1.DangerousChange{tt.danger}
			if plan = topic.MakePlan(d, o, p); len(plan.Refusals) != 0 || len(plan.Steps) != 1 {
				t.Fatalf("acknowledged: want one step, got %+v", plan)
			}
		})
	}
}

func TestTypeEqual(t *testing.T) {
	tests := []struct {
		kind  topic.Type
		a, b  string
		equal bool
	}{
		{topic.TypeString, "a", "a", true},
		{topic.TypeString, "a", "A", false},
		{topic.TypeString, "0.50", "0.5", false},
		{topic.TypeUnknown, "1", "1.0", false},
		{topic.TypeInt, "007", "7", true},
		{topic.TypeInt, "+7", "7", true},
		{topic.TypeInt, " 7 ", "7", true},
		{topic.TypeInt, "7", "8", false},
		{topic.TypeInt, "7.0", "7", false},
		{topic.TypeShort, "07", "7", true},
		{topic.TypeLong, "9223372036854775807", "9223372036854775807", true},
		{topic.TypeLong, "9223372036854775807", "9223372036854775806", false},
		{topic.TypeLong, "x", "y", false},
		{topic.TypeLong, "", "0", false},
		{topic.TypeDouble, "0.50", "0.5", true},
		{topic.TypeDouble, "1", "1.0", true},
		{topic.TypeDouble, "5E-1", "0.5", true},
		{topic.TypeDouble, "0.5", "0.51", false},
		{topic.TypeDouble, "x", "0.5", false},
		{topic.TypeBoolean, "TRUE", "true", true},
		{topic.TypeBoolean, "true", "false", false},
		{topic.TypeList, "a, b", "a,b", true},
		{topic.TypeList, " a ,b ", "a,b", true},
		{topic.TypeList, "a,b", "b,a", false},
		{topic.TypeList, "a", "a,b", false},
		{topic.TypeList, "", " ", true},
		{topic.TypeList, "", "a", false},
		{topic.TypeClass, "a.B", "a.B", true},
		{topic.TypePassword, "a", "b", false},
	}
	for _, tt := range tests {
		if got := tt.kind.Equal(tt.a, tt.b); got != tt.equal {
			t.Errorf("Type(%d).Equal(%q, %q) = %t", tt.kind, tt.a, tt.b, got)
		}
		if got := tt.kind.Equal(tt.b, tt.a); got != tt.equal {
			t.Errorf("Type(%d).Equal(%q, %q) = %t: not symmetric", tt.kind, tt.b, tt.a, got)
		}
	}
}

func TestKnownValueType(t *testing.T) {
	tests := map[string]topic.Type{
		"min.cleanable.dirty.ratio":               topic.TypeDouble,
		"cleanup.policy":                          topic.TypeList,
		"leader.replication.throttled.replicas":   topic.TypeList,
		"follower.replication.throttled.replicas": topic.TypeList,
		"unclean.leader.election.enable":          topic.TypeBoolean,
		"preallocate":                             topic.TypeBoolean,
		"remote.storage.enable":                   topic.TypeBoolean,
		"min.insync.replicas":                     topic.TypeInt,
		"max.message.bytes":                       topic.TypeInt,
		"segment.bytes":                           topic.TypeInt,
		"retention.ms":                            topic.TypeLong,
		"retention.bytes":                         topic.TypeLong,
		"flush.messages":                          topic.TypeLong,
		"compression.type":                        topic.TypeString,
		"message.timestamp.type":                  topic.TypeString,
		"something.new":                           topic.TypeString,
	}
	for key, want := range tests {
		if got := topic.KnownValueType(key); got != want {
			t.Errorf("KnownValueType(%s) = %d, want %d", key, got, want)
		}
	}
}

package wirereq_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka/wirereq"
)

func TestFallbackOfAnOverride(t *testing.T) {
	type synonym = kmsg.DescribeConfigsResponseResourceConfigConfigSynonym
	const override, static, preset = kmsg.ConfigSourceDynamicTopicConfig, kmsg.ConfigSourceStaticBrokerConfig, kmsg.ConfigSourceDefaultConfig
	tests := map[string]struct {
		reason   string
		key      string
		source   kmsg.ConfigSource
		synonyms []synonym
		want     *string
	}{
		"the first that is not the override": {
			reason: "brokers list them in the order in which they count", source: override,
			synonyms: []synonym{{Name: "retention.ms", Value: new("1"), Source: override}, {Name: "log.retention.ms", Value: new("2"), Source: static}, {Name: "log.retention.hours", Value: new("168"), Source: preset}},
			want:     new("2"),
		},
		"in hours": {
			reason: "168 hours are not 168 milliseconds", source: override,
			synonyms: []synonym{{Name: "retention.ms", Value: new("1"), Source: override}, {Name: "log.retention.hours", Value: new("168"), Source: preset}},
			want:     new("604800000"),
		},
		"in minutes": {
			reason: "60 minutes are not 60 milliseconds", source: override,
			synonyms: []synonym{{Name: "log.retention.minutes", Value: new("60"), Source: static}}, want: new("3600000"),
		},
		"without bound, in hours": {
			reason: "-1 has no unit", source: override,
			synonyms: []synonym{{Name: "log.retention.hours", Value: new("-1"), Source: static}}, want: new("-1"),
		},
		"more hours than fit":         {reason: "it must not wrap round to a small number", source: override, synonyms: []synonym{{Name: "log.retention.hours", Value: new("9223372036854775807"), Source: static}}},
		"hours that are not a number": {reason: "nothing is known", source: override, synonyms: []synonym{{Name: "log.retention.hours", Value: new("soon"), Source: static}}},
		"a value that is not told":    {reason: "sensitive synonyms have none", source: override, synonyms: []synonym{{Name: "a", Source: static}}},
		"nothing but the override":    {reason: "168 hours, which no broker lists while nobody has set them", key: "retention.ms", source: override, synonyms: []synonym{{Name: "retention.ms", Value: new("1"), Source: override}}, want: new("604800000")},
		"nothing at all":              {reason: "the broker is older than 1.1, and would not say what is set", key: "retention.ms", source: override},
		"no synonyms":                 {reason: "the broker is older than 1.1", source: override},
		"no override":                 {reason: "there is nothing to reset", source: static, synonyms: []synonym{{Name: "a", Value: new("2"), Source: static}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answer := wirereq.DescribeConfigsAnswers(&kmsg.DescribeConfigsResponse{Resources: []kmsg.DescribeConfigsResponseResource{
				{ResourceName: "a", Configs: []kmsg.DescribeConfigsResponseResourceConfig{{Name: tt.key, Value: new("1"), Source: tt.source, ConfigSynonyms: tt.synonyms}}},
			}})
			if diff := cmp.Diff(tt.want, answer["a"].Value[tt.key].Fallback); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

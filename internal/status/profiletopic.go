package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// MaxProfileTopics bounds status.topics, as the API does.
const MaxProfileTopics = 256

// ProfileTopic is one topic that a profile writes.
type ProfileTopic struct {
	Name     string
	Observed topic.Observed
	// Problem says why the topic could not be looked at; empty if it could.
	Problem string
	// Manifest names the KafkaTopic of the topic, namespace/name; empty when there is none.
	Manifest string
}

// gravest first: what to look at, and what to list where not all can be.
var durabilities = []string{v1alpha1.ReasonBlocked, v1alpha1.ReasonAtRisk, v1alpha1.ReasonUnknown, v1alpha1.ReasonDurable}

// judgeTopics says of each topic whether it keeps what the profile promises, gravest first and then by name.
func (f ProfileFacts) judgeTopics() []v1alpha1.TopicDurability {
	judged := make([]v1alpha1.TopicDurability, 0, len(f.Topics))
	for _, t := range f.Topics {
		d := durabilityFor(f.Profile.Spec.Guarantee, t)
		judged = append(judged, v1alpha1.TopicDurability{Name: t.Name, Durability: d.Reason, Message: valid(d.Message)})
	}
	slices.SortFunc(judged, func(a, b v1alpha1.TopicDurability) int {
		return cmp.Or(
			cmp.Compare(slices.Index(durabilities, a.Durability), slices.Index(durabilities, b.Durability)),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return judged
}

// maxTopicMessage bounds the message of one topic, so that 256 of them are no megabyte.
const maxTopicMessage = 512

func valid(message string) string {
	return strings.ToValidUTF8(message[:min(len(message), maxTopicMessage)], "")
}

// durabilityFor judges a topic for producers of a guarantee.
func durabilityFor(g v1alpha1.Guarantee, t ProfileTopic) Durability {
	switch {
	case t.Problem != "":
		return Durability{v1alpha1.ReasonUnknown, "it cannot be looked at: " + t.Problem}
	case !t.Observed.Exists() && t.Manifest != "":
		return Durability{v1alpha1.ReasonUnknown, fmt.Sprintf("the topic does not exist yet; KafkaTopic %s is to make it", t.Manifest)}
	case !t.Observed.Exists():
		return Durability{v1alpha1.ReasonUnknown, "the topic does not exist, and no KafkaTopic describes it; " +
			"brokers with auto.create.topics.enable make it with their defaults on the first record, others refuse the record"}
	case g == v1alpha1.AtMostOnce:
		return Durability{v1alpha1.ReasonAtRisk, "AtMostOnce does not wait for the replicas: what the leader alone has is lost with it, however the topic is set"}
	}
	return DurabilityOf(t.Observed)
}

// listed are the gravest, in order of their names, which is the order that the API server keeps.
func listed(judged []v1alpha1.TopicDurability) []v1alpha1.TopicDurability {
	if len(judged) == 0 {
		return nil
	}
	some := slices.Clone(judged[:min(len(judged), MaxProfileTopics)])
	slices.SortFunc(some, func(a, b v1alpha1.TopicDurability) int { return cmp.Compare(a.Name, b.Name) })
	return some
}

// keeps is the condition Durable of a profile: what its topics come to together.
func (c *conditions) keeps(p *v1alpha1.ProducerProfile, judged []v1alpha1.TopicDurability) {
	if p.Spec.Guarantee == v1alpha1.AtMostOnce {
		c.add(v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonGuaranteeWeaker,
			"AtMostOnce promises no durability: a record counts as sent before the replicas have it, so no topic can keep it safe")
		return
	}
	if len(judged) == 0 {
		c.add(v1alpha1.ConditionDurable, metav1.ConditionUnknown, v1alpha1.ReasonNoTopics, noTopics(p))
		return
	}
	worst := judged[0].Durability
	message := summary(judged)
	if n := len(judged); n > MaxProfileTopics {
		message += fmt.Sprintf(" (of %d topics, status.topics lists the gravest %d)", n, MaxProfileTopics)
	}
	switch worst {
	case v1alpha1.ReasonDurable:
		c.add(v1alpha1.ConditionDurable, metav1.ConditionTrue, worst, message)
	case v1alpha1.ReasonUnknown:
		c.add(v1alpha1.ConditionDurable, metav1.ConditionUnknown, worst, message)
	default:
		c.add(v1alpha1.ConditionDurable, metav1.ConditionFalse, worst, message)
	}
}

func noTopics(p *v1alpha1.ProducerProfile) string {
	if p.Spec.Topics == nil {
		return "spec.topics is absent: every topic may be written, and none is judged; name those that are in spec.topics"
	}
	return "spec.topics selects no topic now"
}

// maxNamed is how many topics a sentence names. status.topics has the others.
const maxNamed = 5

// summary counts the topics, and says of the gravest what is wrong with them.
func summary(judged []v1alpha1.TopicDurability) string {
	counts := make(map[string]int)
	for _, t := range judged {
		counts[t.Durability]++
	}
	if counts[v1alpha1.ReasonDurable] == len(judged) {
		return fmt.Sprintf("acknowledged records survive the loss of any one broker on %s", topics(len(judged)))
	}
	var parts, named []string
	for _, d := range durabilities {
		if counts[d] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[d], d))
		}
	}
	for _, t := range judged {
		if t.Durability == v1alpha1.ReasonDurable || len(named) == maxNamed {
			break
		}
		named = append(named, t.Name+": "+t.Message)
	}
	text := fmt.Sprintf("of %s: %s; %s", topics(len(judged)), strings.Join(parts, ", "), strings.Join(named, "; "))
	if more := len(judged) - counts[v1alpha1.ReasonDurable] - len(named); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func topics(n int) string {
	if n == 1 {
		return "1 topic"
	}
	return fmt.Sprintf("%d topics", n)
}

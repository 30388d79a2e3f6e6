package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/principal"
	"mooring.dev/mooring/internal/producer"
	"mooring.dev/mooring/internal/status"
	"mooring.dev/mooring/internal/topic"
)

// gather reads what a profile is judged by.
func (s *profileScope) gather(ctx context.Context) error {
	var cluster v1alpha1.KafkaCluster
	err := s.reconciler.Client.Get(ctx, types.NamespacedName{Name: clusterOf(s.profile)}, &cluster)
	if err == nil {
		s.cluster = &cluster
	} else if !apierrors.IsNotFound(err) {
		return err
	}
	return s.gatherTopics(ctx)
}

// gatherTopics finds the KafkaTopics that stand for topics of the profile.
func (s *profileScope) gatherTopics(ctx context.Context) error {
	s.manifests = make(map[string]*v1alpha1.KafkaTopic)
	if s.profile.Spec.Topics == nil {
		return nil
	}
	var list v1alpha1.KafkaTopicList
	byCluster := client.MatchingFields{indexTopicsByCluster: clusterOf(s.profile)}
	if err := s.reconciler.Client.List(ctx, &list, byCluster, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	m := matcherOf(s.profile)
	for i := range list.Items {
		t := &list.Items[i]
		selects := m.selects(t)
		if !selects && !m.names(t.TopicName()) {
			continue
		}
		if selects {
			s.selected = append(s.selected, t.TopicName())
		}
		if s.manifests[t.TopicName()] == nil {
			s.manifests[t.TopicName()] = t
		}
	}
	slices.Sort(s.selected)
	s.selected = slices.Compact(s.selected)
	return nil
}

// judge resolves the profile and holds it against the rules, on what is known.
func (s *profileScope) judge() {
	s.config = producer.Resolve(s.profile, s.cluster, s.profile.Namespace)
	s.facts.Judged = true
	s.facts.Configuration, s.facts.Hash = s.config.Properties(), s.config.Hash()
	s.facts.Findings = producer.Validate(s.config)
}

// judgeBrokers says what the brokers themselves have against the profile.
func (s *profileScope) judgeBrokers(info kafka.ClusterInfo) {
	if principal.NeedsIdempotentWrite(s.profile.Spec.Guarantee, info.Before28) && !principal.Manages(s.profile) {
		s.warn("idempotent-write-acl", "spec.guarantee", fmt.Sprintf(
			"the brokers of KafkaCluster %s are older than Kafka 2.8, where an authorizer lets nobody be idempotent without the ACL IDEMPOTENT_WRITE on the cluster; grant it to the producers' principal, or set spec.authorization.mode to Manage",
			s.cluster.Name))
	}
}

// warn adds a finding that needs more than the profile to be found.
func (s *profileScope) warn(rule, field, message string) {
	s.facts.Findings = append(s.facts.Findings, producer.Finding{Rule: rule, Severity: producer.Warning, Field: field, Message: message})
}

// admitProfile judges what crosses objects: whether the cluster exists, and takes profiles of this namespace.
func (r *ProfileReconciler) admitProfile(ctx context.Context, s *profileScope) (*failure, error) {
	if s.cluster == nil {
		return &failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonClusterNotReady,
			Message: fmt.Sprintf("spec.clusterRef: there is no KafkaCluster %s; create it, or correct the name", s.config.Cluster)},
			outcome.Wait(recheckAway)}, nil
	}
	if s.cluster.Spec.AllowedNamespaces == nil {
		return nil, nil
	}
	var namespace corev1.Namespace
	if err := r.Client.Get(ctx, types.NamespacedName{Name: s.profile.Namespace}, &namespace); err != nil {
		return nil, err
	}
	if refusal, refused := topic.RefuseNamespace(s.cluster, "profiles", s.profile.Namespace, namespace.Labels); refused {
		return stuckFor(refusal.Reason, "%s", refusal.Message), nil
	}
	return nil, nil
}

// surveyed are the keys that say whether a topic keeps what is written, and takes what is sent.
var surveyed = []string{keyMaxMessageBytes, topic.KeyMinInsyncReplicas, topic.KeyUncleanLeaderElection}

const keyMaxMessageBytes = "max.message.bytes"

// survey looks at the topics that the profile writes: those that a KafkaTopic describes, and any other.
func (s *profileScope) survey(ctx context.Context, admin kafka.Admin) error {
	interest := kafka.Interest{Names: slices.Sorted(maps.Keys(s.manifests)), Keys: surveyed}
	if t := s.profile.Spec.Topics; t != nil {
		interest.Names, interest.Prefixes = append(interest.Names, t.Names...), t.Prefixes
	}
	seen, err := admin.Survey(ctx, observerOf(s.profile), interest)
	if err != nil {
		return err
	}
	var limits []producer.TopicLimits
	s.facts.Surveyed = true
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		sighting := seen[name]
		t := status.ProfileTopic{Name: name, Observed: sighting.Observed}
		if sighting.Err != nil {
			t.Problem = sighting.Err.Error()
		}
		if manifest := s.manifests[name]; manifest != nil {
			t.Manifest = manifest.Namespace + "/" + manifest.Name
		}
		s.facts.Topics = append(s.facts.Topics, t)
		limits = append(limits, producer.TopicLimits{Name: name, MaxMessageBytes: number(sighting.Observed, keyMaxMessageBytes)})
	}
	s.facts.Findings = append(s.facts.Findings, producer.CheckTopics(s.config, limits)...)
	return nil
}

// number is a value in force as a whole number; 0 where it is not known.
func number(o topic.Observed, key string) int64 {
	text, _ := o.Value(key)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// matcher says which topics a profile writes.
type matcher struct {
	profile  *v1alpha1.ProducerProfile
	selector labels.Selector
}

func matcherOf(p *v1alpha1.ProducerProfile) matcher {
	m := matcher{profile: p, selector: labels.Nothing()}
	if t := p.Spec.Topics; t != nil && t.Selector != nil {
		// One that is not a selector selects nothing.
		if selector, err := metav1.LabelSelectorAsSelector(t.Selector); err == nil {
			m.selector = selector
		}
	}
	return m
}

// names says whether a topic of this name is written because of its name.
func (m matcher) names(name string) bool {
	t := m.profile.Spec.Topics
	if t == nil {
		return false
	}
	return slices.Contains(t.Names, name) || slices.ContainsFunc(t.Prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// selects says whether the topic of a KafkaTopic is written because of its labels.
func (m matcher) selects(t *v1alpha1.KafkaTopic) bool {
	return t.Namespace == m.profile.Namespace && t.Spec.ClusterRef.Name == clusterOf(m.profile) && m.selector.Matches(labels.Set(t.Labels))
}

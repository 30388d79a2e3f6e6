package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/principal"
	"mooring.dev/mooring/internal/producer"
	"mooring.dev/mooring/internal/topic"
)

const kindProfile = "ProducerProfile"

// profileValidator refuses profiles that break a rule, or that the KafkaCluster does not take. It names all that is wrong
// at once; the schema has refused before what CEL can say.
type profileValidator struct {
	// reader of the cache.
	reader client.Reader
}

// ValidateCreate implements admission.Validator.
func (v *profileValidator) ValidateCreate(ctx context.Context, p *v1alpha1.ProducerProfile) (admission.Warnings, error) {
	s, err := v.gather(ctx, p)
	if err != nil {
		return nil, fault(err)
	}
	found, warnings := s.judge(p)
	return warnings, refuse(kindProfile, p.Name, found)
}

// ValidateUpdate implements admission.Validator.
func (v *profileValidator) ValidateUpdate(ctx context.Context, old, p *v1alpha1.ProducerProfile) (admission.Warnings, error) {
	if !p.DeletionTimestamp.IsZero() || equality.Semantic.DeepEqual(old.Spec, p.Spec) {
		return nil, nil
	}
	s, err := v.gather(ctx, p)
	if err != nil {
		return nil, fault(err)
	}
	before, err := v.gather(ctx, old) // an update may change the cluster
	if err != nil {
		return nil, fault(err)
	}
	was, _ := before.judge(old)
	found, warnings := s.judge(p)
	return ratchet(kindProfile, p.Name, was, found, warnings)
}

// ValidateDelete implements admission.Validator. No rule holds a deletion back.
func (v *profileValidator) ValidateDelete(context.Context, *v1alpha1.ProducerProfile) (admission.Warnings, error) {
	return nil, nil
}

// profileSurroundings are what a ProducerProfile is judged by.
type profileSurroundings struct {
	// cluster is nil where there is none yet.
	cluster   *v1alpha1.KafkaCluster
	namespace corev1.Namespace
}

func (v *profileValidator) gather(ctx context.Context, p *v1alpha1.ProducerProfile) (*profileSurroundings, error) {
	s := &profileSurroundings{}
	name := producer.Resolve(p, nil, p.Namespace).Cluster
	var k v1alpha1.KafkaCluster
	if err := v.reader.Get(ctx, types.NamespacedName{Name: name}, &k); apierrors.IsNotFound(err) {
		return s, nil
	} else if err != nil {
		return nil, fmt.Errorf("read KafkaCluster %s: %w", name, err)
	}
	s.cluster = &k
	if err := v.reader.Get(ctx, types.NamespacedName{Name: p.Namespace}, &s.namespace); err != nil {
		return nil, fmt.Errorf("read Namespace %s: %w", p.Namespace, err)
	}
	return s, nil
}

// judge finds every error with its field, and says what works and will surprise somebody.
func (s *profileSurroundings) judge(p *v1alpha1.ProducerProfile) ([]topic.Violation, admission.Warnings) {
	var found []topic.Violation
	var warnings admission.Warnings
	c := producer.Resolve(p, s.cluster, p.Namespace)
	for _, f := range producer.Validate(c) {
		switch f.Severity {
		case producer.Error:
			found = append(found, topic.Violation{Field: f.Field, Value: valueAt(p, f.Field), Detail: fmt.Sprintf("%s (%s)", f.Message, f.Rule)})
		case producer.Warning:
			warnings = append(warnings, fmt.Sprintf("%s: %s (%s)", f.Field, f.Message, f.Rule))
		}
	}
	if _, refusals := principal.FromProfile(p, nil, false); len(refusals) > 0 {
		for _, r := range refusals {
			found = append(found, topic.Violation{Field: "spec.authorization.mode", Value: string(v1alpha1.AuthorizationManage), Detail: r.Message})
		}
	}
	if s.cluster == nil {
		return found, append(warnings, fmt.Sprintf("spec.clusterRef: there is no KafkaCluster %s yet; the profile waits for it", c.Cluster))
	}
	if refusal, refused := topic.RefuseNamespace(s.cluster, "profiles", p.Namespace, s.namespace.Labels); refused {
		found = append(found, topic.Violation{Field: "spec.clusterRef.name", Value: s.cluster.Name, Detail: refusal.Message})
	}
	return append(found, s.writes(p)...), warnings
}

// writes are what the cluster's topicPolicies have against ACLs for the topics that the profile names.
func (s *profileSurroundings) writes(p *v1alpha1.ProducerProfile) []topic.Violation {
	if !principal.Manages(p) {
		return nil
	}
	policy, err := topic.PolicyFor(s.cluster, s.namespace.Labels)
	switch {
	case err != nil:
		return []topic.Violation{{Field: "spec.clusterRef.name", Value: s.cluster.Name, Detail: err.Error()}}
	case policy == nil:
		return nil
	}
	return policy.RefuseWrites(p, nil)
}

// fieldStep is one step of a field's path: a name, or what is between brackets.
var fieldStep = regexp.MustCompile(`[^.\[\]]+|\[[^\]]*\]`)

// valueAt is the value of a field of a profile, as something that can be compared and shown; nil where it is absent.
func valueAt(p *v1alpha1.ProducerProfile, path string) any {
	raw, err := json.Marshal(p)
	if err != nil {
		return nil
	}
	var at any
	if err := json.Unmarshal(raw, &at); err != nil {
		return nil
	}
	for _, step := range fieldStep.FindAllString(path, -1) {
		at = below(at, strings.Trim(step, "[]"))
	}
	switch at.(type) {
	case map[string]any, []any:
		text, err := json.Marshal(at)
		if err != nil {
			return nil
		}
		return string(text)
	}
	return at
}

func below(at any, step string) any {
	switch node := at.(type) {
	case map[string]any:
		return node[step]
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(node) {
			return node[i]
		}
	}
	return nil
}

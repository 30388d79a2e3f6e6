package controllers

import (
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// maxKept bounds what LightTopic keeps once for all topics. Beyond it the table starts anew: what is common is soon back.
const maxKept = 4096

// LightTopic is the transform of the cache of KafkaTopics. Ten thousand of them are most of the operator's memory, and most
// of what they say is the same in all: the names of conditions, reasons and messages, the configuration. It is kept once.
// Nobody changes an object of the cache, so nobody finds out. What no reconcile reads is dropped: who manages which field,
// and kubectl's copy of the manifest.
func LightTopic(object any) (any, error) {
	t, ok := object.(*v1alpha1.KafkaTopic)
	if !ok {
		return object, nil
	}
	t.ManagedFields = nil
	if delete(t.Annotations, corev1.LastAppliedConfigAnnotation); len(t.Annotations) == 0 {
		t.Annotations = nil
	}
	kept.lighten(t)
	return t, nil
}

// kept is what the topics of this process share.
var kept table

// table keeps one copy of equal strings and equal maps.
type table struct {
	mu       sync.Mutex
	strings  map[string]string
	settings map[string]map[string]string
	configs  map[string]map[string]v1alpha1.ConfigValue
}

func (k *table) lighten(t *v1alpha1.KafkaTopic) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.strings == nil || len(k.strings)+len(k.settings)+len(k.configs) > maxKept {
		k.strings, k.settings, k.configs = make(map[string]string), make(map[string]map[string]string), make(map[string]map[string]v1alpha1.ConfigValue)
	}
	t.Namespace = k.text(t.Namespace)
	for i := range t.Finalizers {
		t.Finalizers[i] = k.text(t.Finalizers[i])
	}
	t.Labels = share(k.settings, t.Labels, func(v string) string { return v })
	spec, status := &t.Spec, &t.Status
	spec.ClusterRef.Name = k.text(spec.ClusterRef.Name)
	spec.ConfigOwnership = v1alpha1.ConfigOwnership(k.text(string(spec.ConfigOwnership)))
	spec.Adoption = v1alpha1.AdoptionPolicy(k.text(string(spec.Adoption)))
	spec.DeletionPolicy = v1alpha1.DeletionPolicy(k.text(string(spec.DeletionPolicy)))
	spec.Mode = v1alpha1.TopicMode(k.text(string(spec.Mode)))
	spec.OnMissing = v1alpha1.MissingPolicy(k.text(string(spec.OnMissing)))
	spec.Config = share(k.configs, spec.Config, v1alpha1.ConfigValue.String)
	if status.TopicName == t.Name {
		status.TopicName = t.Name
	}
	status.ClusterID = k.text(status.ClusterID)
	status.ManagedConfig = share(k.settings, status.ManagedConfig, func(v string) string { return v })
	status.Conditions = slices.Clip(append([]metav1.Condition(nil), status.Conditions...)) // a decoder leaves room for as many again
	for i := range status.Conditions {
		c := &status.Conditions[i]
		c.Type, c.Status = k.text(c.Type), metav1.ConditionStatus(k.text(string(c.Status)))
		c.Reason, c.Message = k.text(c.Reason), k.text(c.Message)
	}
}

func (k *table) text(s string) string {
	if one, ok := k.strings[s]; ok {
		return one
	}
	k.strings[s] = s
	return s
}

// share returns a map that is equal to m, the same for all that are.
func share[V comparable](known map[string]map[string]V, m map[string]V, text func(V) string) map[string]V {
	if len(m) == 0 {
		return m
	}
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		key.WriteString(name + "=" + text(m[name]) + ",")
	}
	one, ok := known[key.String()]
	switch {
	case !ok:
		known[key.String()] = m
		return m
	case maps.Equal(one, m): // two maps may have the same key: a value may hold anything
		return one
	default:
		return m
	}
}

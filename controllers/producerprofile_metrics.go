package controllers

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/principal"
)

// What the reconciles of profiles count. docs/reference/metrics.md lists them.
var (
	profileTopics = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "mooring_profile_topics", Help: "Topics that a ProducerProfile writes and its status lists, by whether they keep what it promises.",
	}, []string{"namespace", "name", "durability"})
	accessDrift = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mooring_access_drift_total", Help: "Quotas and ACLs of ProducerProfiles that were found changed or gone.",
	}, []string{"namespace", "name"})
	accessSteps = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mooring_access_steps_total", Help: "Steps about quotas and ACLs by kind and result: ok, or the class of the error.",
	}, []string{"kind", "result"})
)

func init() { metrics.Registry.MustRegister(profileTopics, accessDrift, accessSteps) }

func countAccess(step principal.Step, err error) {
	result := "ok"
	if err != nil {
		result = kafka.ClassOf(err).String()
	}
	kind := fmt.Sprintf("%T", step)
	accessSteps.WithLabelValues(kind[strings.LastIndexByte(kind, '.')+1:], result).Inc()
}

func countProfileTopics(p *v1alpha1.ProducerProfile, s v1alpha1.ProducerProfileStatus) {
	counts := map[string]float64{v1alpha1.ReasonDurable: 0, v1alpha1.ReasonAtRisk: 0, v1alpha1.ReasonBlocked: 0, v1alpha1.ReasonUnknown: 0}
	for _, t := range s.Topics {
		counts[t.Durability]++
	}
	for durability, n := range counts {
		profileTopics.WithLabelValues(p.Namespace, p.Name, durability).Set(n)
	}
}

func forgetProfileTopics(p *v1alpha1.ProducerProfile) {
	profileTopics.DeletePartialMatch(prometheus.Labels{"namespace": p.Namespace, "name": p.Name})
}

// Reasons of Events about profiles.
const (
	eventAccessChanged = "AccessChanged"
	eventAccessDrifted = "AccessDrifted"
	eventAccessLeft    = "AccessLeft"
	eventTopicsKeep    = "TopicsDurable"
	eventTopicsFail    = "TopicsNotDurable"
)

// onDurable records that the topics of a profile began or ceased to keep what it promises.
func (e Events) onDurable(o runtime.Object, before, after []metav1.Condition) {
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionDurable), meta.FindStatusCondition(after, v1alpha1.ConditionDurable)
	if is == nil || (was != nil && was.Status == is.Status && was.Reason == is.Reason) {
		return
	}
	switch {
	case is.Status == metav1.ConditionTrue && was != nil:
		e.normal(o, eventTopicsKeep, "%s", is.Message)
	case is.Status == metav1.ConditionFalse && is.Reason != v1alpha1.ReasonGuaranteeWeaker:
		e.warning(o, eventTopicsFail, "%s", is.Message)
	}
}

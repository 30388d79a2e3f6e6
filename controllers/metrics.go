package controllers

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// What the reconciles count. docs/reference/metrics.md lists them.
var (
	topicsByState = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "mooring_topics", Help: "KafkaTopics by cluster and reason of their condition Ready, counted at each look at the cluster.",
	}, []string{"cluster", "reason"})
	driftFound = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mooring_topic_drift_total", Help: "Settings of topics that were found changed behind their manifest's back.",
	}, []string{"namespace", "name", "key"})
	stepsTaken = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mooring_plan_steps_total", Help: "Steps of plans by kind and result: ok, or the class of the error.",
	}, []string{"kind", "result"})
	eventsDropped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "mooring_events_dropped_total", Help: "Events that were not written: too many waited, or the API server took none for too long.",
	})
)

func init() { metrics.Registry.MustRegister(topicsByState, driftFound, stepsTaken, eventsDropped) }

// countStep counts one step that was sent to the brokers.
func countStep(step topic.Step, err error) {
	result := "ok"
	if err != nil {
		result = kafka.ClassOf(err).String()
	}
	kind := fmt.Sprintf("%T", step)
	stepsTaken.WithLabelValues(kind[strings.LastIndexByte(kind, '.')+1:], result).Inc()
}

// driftedKeys names what a plan against drift changes: keys of the configuration, partitions, replicas.
func driftedKeys(steps []topic.Step) []string {
	var keys []string
	for _, step := range steps {
		switch step := step.(type) {
		case topic.Configure:
			for _, c := range step.Changes {
				keys = append(keys, c.Key)
			}
		case topic.Grow:
			keys = append(keys, "partitions")
		case topic.Reassign:
			keys = append(keys, "replicationFactor")
		}
	}
	return keys
}

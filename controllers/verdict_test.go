package controllers

import (
	"testing"

	"mooring.dev/mooring/internal/kafka"
)

// TestOneBrokerAwayIsTriedAgain tells the two kinds of unreachable apart. A broker that was killed while replicas moved to
// it answered nothing to the step, the cluster was there all the while, and nobody woke the topic again.
func TestOneBrokerAwayIsTriedAgain(t *testing.T) {
	err := kafka.NewError(kafka.ClassUnreachable, "dial: connection refused")
	if _, retry := failureOf(err, "move replicas").outcome.Result(); retry == nil {
		t.Error("a step that met one broker away is not tried again by the queue")
	}
	result, retry := failureOf(err, "KafkaCluster default").awaited().outcome.Result()
	if retry != nil || result.RequeueAfter != recheckAway {
		t.Errorf("a cluster that the pool found away: %v, %v; want a wait, because the pool wakes the topic", result, retry)
	}
}

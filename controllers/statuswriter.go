package controllers

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	ac "mooring.dev/mooring/api/v1alpha1/applyconfiguration/api/v1alpha1"
)

// fieldOwner is the one manager of every field that Mooring writes.
const fieldOwner = client.FieldOwner("mooring")

// writeTopicStatus applies the status if it says anything new.
func writeTopicStatus(ctx context.Context, c client.Client, t *v1alpha1.KafkaTopic, s v1alpha1.KafkaTopicStatus) error {
	if equality.Semantic.DeepEqual(t.Status, s) {
		return nil
	}
	status := ac.KafkaTopicStatus()
	if err := convert(s, status); err != nil {
		return err
	}
	return applyStatus(ctx, c, ac.KafkaTopic(t.Name, t.Namespace).WithStatus(status))
}

// writeClusterStatus applies the status if it says anything new.
func writeClusterStatus(ctx context.Context, c client.Client, k *v1alpha1.KafkaCluster, s v1alpha1.KafkaClusterStatus) error {
	if equality.Semantic.DeepEqual(k.Status, s) {
		return nil
	}
	status := ac.KafkaClusterStatus()
	if err := convert(s, status); err != nil {
		return err
	}
	return applyStatus(ctx, c, ac.KafkaCluster(k.Name).WithStatus(status))
}

// writeProfileStatus applies the status if it says anything new. The counts of pods are somebody else's to write, under a
// field owner of its own.
func writeProfileStatus(ctx context.Context, c client.Client, p *v1alpha1.ProducerProfile, s v1alpha1.ProducerProfileStatus) error {
	before := *p.Status.DeepCopy()
	before.Pods, s.Pods = nil, nil
	slices.SortFunc(before.Topics, func(a, b v1alpha1.TopicDurability) int { return cmp.Compare(a.Name, b.Name) })
	if equality.Semantic.DeepEqual(before, s) {
		return nil
	}
	status := ac.ProducerProfileStatus()
	if err := convert(s, status); err != nil {
		return err
	}
	return applyStatus(ctx, c, ac.ProducerProfile(p.Name, p.Namespace).WithStatus(status))
}

func applyStatus(ctx context.Context, c client.Client, object runtime.ApplyConfiguration) error {
	err := c.Status().Apply(ctx, object, fieldOwner, client.ForceOwnership)
	// The object may be gone by now, and then nobody misses its status.
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// convert copies between a type and its apply configuration, which have the same JSON.
func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/status"
	"mooring.dev/mooring/internal/topic"
)

// admit judges what crosses objects: whether another object owns the topic, and whether the cluster exists, takes this
// namespace, and has a policy against the topic. It returns why not; the error is one of the API server's.
func (r *TopicReconciler) admit(ctx context.Context, t *v1alpha1.KafkaTopic) (*failure, error) {
	same, err := sameTarget(ctx, r.Client, t.Spec.ClusterRef.Name, t.TopicName())
	if err != nil {
		return nil, err
	}
	// While the first one is being deleted it is still the owner: it says what becomes of the topic.
	if len(same) > 0 && same[0].UID != t.UID {
		return stuckFor(v1alpha1.ReasonConflict,
			"KafkaTopic %s/%s is older and owns topic %s on KafkaCluster %s; delete one of the two (deleting this one leaves the topic alone)",
			same[0].Namespace, same[0].Name, t.TopicName(), t.Spec.ClusterRef.Name), nil
	}
	var cluster v1alpha1.KafkaCluster
	err = r.Client.Get(ctx, types.NamespacedName{Name: t.Spec.ClusterRef.Name}, &cluster)
	if apierrors.IsNotFound(err) {
		return &failure{status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonClusterNotReady,
			Message: fmt.Sprintf("spec.clusterRef: there is no KafkaCluster %s; create it, or correct the name", t.Spec.ClusterRef.Name)},
			outcome.Wait(recheckAway)}, nil
	}
	if err != nil {
		return nil, err
	}
	if refused, err := r.consent(ctx, t, &cluster); refused != nil || err != nil {
		return refused, err
	}
	return r.guard(ctx, t, &cluster)
}

// consent says whether the cluster takes topics of this namespace.
func (r *TopicReconciler) consent(ctx context.Context, t *v1alpha1.KafkaTopic, cluster *v1alpha1.KafkaCluster) (*failure, error) {
	if cluster.Spec.AllowedNamespaces == nil {
		return nil, nil
	}
	var namespace corev1.Namespace
	if err := r.Client.Get(ctx, types.NamespacedName{Name: t.Namespace}, &namespace); err != nil {
		return nil, err
	}
	if refusal, refused := topic.RefuseNamespace(cluster, "topics", t.Namespace, namespace.Labels); refused {
		return stuckFor(refusal.Reason, "%s", refusal.Message), nil
	}
	return nil, nil
}

// stuckFor is a refusal that only a change of the objects can lift; a watch brings it back.
func stuckFor(reason, format string, args ...any) *failure {
	return &failure{status.Verdict{Kind: status.Stuck, Reason: reason, Message: fmt.Sprintf(format, args...)}, outcome.Refuse(recheckAway)}
}

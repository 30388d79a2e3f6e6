package webhook

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

const kindCluster = "KafkaCluster"

// clusterValidator refuses policies that no topic could ever be judged by.
type clusterValidator struct{}

// ValidateCreate implements admission.Validator.
func (clusterValidator) ValidateCreate(_ context.Context, k *v1alpha1.KafkaCluster) (admission.Warnings, error) {
	return warnCluster(k), refuse(kindCluster, k.Name, topic.CheckCluster(&k.Spec))
}

// ValidateUpdate implements admission.Validator.
func (clusterValidator) ValidateUpdate(_ context.Context, old, k *v1alpha1.KafkaCluster) (admission.Warnings, error) {
	if !k.DeletionTimestamp.IsZero() || equality.Semantic.DeepEqual(old.Spec, k.Spec) {
		return nil, nil
	}
	return ratchet(kindCluster, k.Name, topic.CheckCluster(&old.Spec), topic.CheckCluster(&k.Spec), warnCluster(k))
}

// ValidateDelete implements admission.Validator. Deletion is not judged; the finalizer waits for the topics.
func (clusterValidator) ValidateDelete(context.Context, *v1alpha1.KafkaCluster) (admission.Warnings, error) {
	return nil, nil
}

func warnCluster(k *v1alpha1.KafkaCluster) admission.Warnings {
	if len(k.Spec.BootstrapServers) != 1 {
		return nil
	}
	return admission.Warnings{"spec.bootstrapServers has one entry: while that broker is down, nothing can connect; name two or three, or an address that stands for all brokers"}
}

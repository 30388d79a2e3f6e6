// Package webhook judges KafkaTopics and KafkaClusters at admission, where a person still looks: what crosses objects, and
// what CEL cannot say. It reads the cache and nothing else, and never asks a Kafka cluster. The reconcile judges again, so
// whatever does not reach a webhook is held back there.
package webhook

// What follows from it is failurePolicy Ignore: an API server that cannot reach us lets objects in, and the reconcile
// refuses them. The match conditions keep away what is not judged, so that nothing waits for us in vain: objects that are
// being deleted, and updates that leave the spec as it is (finalizers, annotations).

// +kubebuilder:webhookconfiguration:mutating=false,name=mooring
// +kubebuilder:webhook:path=/validate-kafka-mooring-dev-v1alpha1-kafkatopic,mutating=false,failurePolicy=ignore,sideEffects=None,timeoutSeconds=5,groups=kafka.mooring.dev,resources=kafkatopics,verbs=create;update,versions=v1alpha1,name=kafkatopics.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["mooring-system"]}]},"matchConditions":[{"name":"not-being-deleted","expression":"!has(object.metadata.deletionTimestamp)"},{"name":"spec-changed","expression":"oldObject == null || object.spec != oldObject.spec"}]}`
// +kubebuilder:webhook:path=/validate-kafka-mooring-dev-v1alpha1-kafkacluster,mutating=false,failurePolicy=ignore,sideEffects=None,timeoutSeconds=5,groups=kafka.mooring.dev,resources=kafkaclusters,verbs=create;update,versions=v1alpha1,name=kafkaclusters.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"matchConditions":[{"name":"not-being-deleted","expression":"!has(object.metadata.deletionTimestamp)"},{"name":"spec-changed","expression":"oldObject == null || object.spec != oldObject.spec"}]}`

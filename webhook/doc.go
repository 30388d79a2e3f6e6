// Package webhook is what the API server asks at admission. The validating webhooks judge KafkaTopics, ProducerProfiles and
// KafkaClusters, where a person still looks: what crosses objects, and what CEL cannot say. The mutating ones give annotated
// pods the contract of their ProducerProfile, and copy the annotations of workloads to their pod templates. All read the cache
// and nothing else, and never ask a Kafka cluster.
package webhook

// The validating webhooks have failurePolicy Ignore: an API server that cannot reach us lets objects in, and the reconcile
// judges again and holds back what did not come by here. The mutating ones have failurePolicy Fail, because nothing later can
// give a pod its contract: a pod that asked for one waits until a replica answers. In both, match conditions keep away whoever
// did not ask and what is not judged, so that nothing waits for us in vain: objects that are being deleted, and updates that
// leave alone what we look at (finalizers, status, scaling).

// +kubebuilder:webhookconfiguration:mutating=false,name=mooring
// +kubebuilder:webhook:path=/validate-kafka-mooring-dev-v1alpha1-kafkatopic,mutating=false,failurePolicy=ignore,sideEffects=None,timeoutSeconds=5,groups=kafka.mooring.dev,resources=kafkatopics,verbs=create;update,versions=v1alpha1,name=kafkatopics.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["mooring-system"]}]},"matchConditions":[{"name":"not-being-deleted","expression":"!has(object.metadata.deletionTimestamp)"},{"name":"spec-changed","expression":"oldObject == null || object.spec != oldObject.spec"}]}`
// +kubebuilder:webhook:path=/validate-kafka-mooring-dev-v1alpha1-kafkacluster,mutating=false,failurePolicy=ignore,sideEffects=None,timeoutSeconds=5,groups=kafka.mooring.dev,resources=kafkaclusters,verbs=create;update,versions=v1alpha1,name=kafkaclusters.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"matchConditions":[{"name":"not-being-deleted","expression":"!has(object.metadata.deletionTimestamp)"},{"name":"spec-changed","expression":"oldObject == null || object.spec != oldObject.spec"}]}`
// +kubebuilder:webhook:path=/validate-kafka-mooring-dev-v1alpha1-producerprofile,mutating=false,failurePolicy=ignore,sideEffects=None,timeoutSeconds=5,groups=kafka.mooring.dev,resources=producerprofiles,verbs=create;update,versions=v1alpha1,name=producerprofiles.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["mooring-system"]}]},"matchConditions":[{"name":"not-being-deleted","expression":"!has(object.metadata.deletionTimestamp)"},{"name":"spec-changed","expression":"oldObject == null || object.spec != oldObject.spec"}]}`

package v1alpha1

// Keys in the metadata of objects.
const (
	// Finalizer is on a KafkaTopic whose deletionPolicy deletes, and on a KafkaCluster, until what deletion asks is done.
	Finalizer = "kafka.mooring.dev/finalizer"

	// AnnotationOrphan, "true" on a KafkaTopic, lets the object go and leaves the topic, whatever deletionPolicy says.
	AnnotationOrphan = "kafka.mooring.dev/orphan"

	// AnnotationProducerProfile, [namespace/]name, on a Pod, a pod template or a workload: inject this ProducerProfile.
	AnnotationProducerProfile = "kafka.mooring.dev/producer-profile"
	// AnnotationProducerContainers, a,b: the containers to inject. Default: all application containers.
	AnnotationProducerContainers = "kafka.mooring.dev/producer-containers"
	// AnnotationProducerShim overrides the profile's shim mode: none, kafka, http, all.
	AnnotationProducerShim = "kafka.mooring.dev/producer-shim"
	// AnnotationProducerInject, "false", opts out of a profile's selector.
	AnnotationProducerInject = "kafka.mooring.dev/producer-inject"
	// AnnotationProducerStatus is written by Mooring on a Pod: what was injected, and why.
	AnnotationProducerStatus = "kafka.mooring.dev/producer-status"
	// AnnotationContract is written by Mooring on a Pod: the contract that the shim reads.
	AnnotationContract = "kafka.mooring.dev/contract"
	// AnnotationContractTouched is written by Mooring on a Pod some seconds after it changed the contract, with the time: a kubelet
	// that was busy with the pod when the change came looks at it again.
	AnnotationContractTouched = "kafka.mooring.dev/contract-touched"

	// LabelInjection, InjectionEnabled on a Namespace, lets the selectors of ProducerProfiles bind its pods.
	LabelInjection = "kafka.mooring.dev/injection"
	// InjectionEnabled is the value of LabelInjection.
	InjectionEnabled = "enabled"

	// AnnotationProducerCopied is written by Mooring on a pod template: the annotations that it copied from the workload.
	AnnotationProducerCopied = "kafka.mooring.dev/producer-copied"
	// AnnotationRestartedFor is written by Mooring on a workload that it restarts: the hash of what its pods are to be given.
	AnnotationRestartedFor = "kafka.mooring.dev/restarted-for"
)

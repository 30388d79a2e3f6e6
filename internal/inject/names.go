package inject

import (
	"strings"

	"mooring.dev/mooring/internal/producer"
)

// Names of what a pod is given. They are Mooring's: a pod that has its own of the same name is refused.
const (
	// ContainerShim is the shim's container.
	ContainerShim = "mooring-shim"
	// VolumeFiles projects the contract and the rendered files.
	VolumeFiles = "mooring-files"
	// VolumeCredentials is the Secret of the profile's credentials.
	VolumeCredentials = "mooring-credentials"

	// AnnotationFilePrefix begins the annotation of a rendered file; the file's name follows, with '/' as '_'.
	AnnotationFilePrefix = "file.kafka.mooring.dev/"
	// FileContract is the contract's name under producer.DirFiles.
	FileContract = "contract.json"

	// EnvPodName and EnvPodOrdinal hold the pod's name and its index in a StatefulSet or indexed Job, for a transactional.id
	// that admission cannot know yet.
	EnvPodName    = "MOORING_POD_NAME"
	EnvPodOrdinal = "MOORING_POD_ORDINAL"
	// EnvHTTP is the address of the shim's HTTP listener.
	EnvHTTP = "MOORING_HTTP_URL"

	labelPodIndex      = "apps.kubernetes.io/pod-index"
	labelJobIndex      = "batch.kubernetes.io/job-completion-index"
	labelTemplateHash  = "pod-template-hash"
	annotationMirror   = "kubernetes.io/config.mirror"
	pathContract       = producer.DirFiles + "/" + FileContract
	maxAnnotationBytes = 256 << 10 // of all annotations together: the API server's TotalAnnotationSizeLimitB
	defaultGrace       = 30        // seconds; the API server's default of terminationGracePeriodSeconds
)

// annotationOf is the annotation that holds a rendered file.
func annotationOf(file string) string {
	return AnnotationFilePrefix + strings.ReplaceAll(file, "/", "_")
}

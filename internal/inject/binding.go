package inject

import (
	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// Binding is all that Mutate needs beside the pod.
type Binding struct {
	// Config of the profile, resolved for the namespace of the pod.
	Config producer.Config
	By     By
	// ClusterID is the cluster's own identity, "" while it is not known.
	ClusterID string
	// CACertificates are the PEM certificates that the KafkaCluster trusts, "" for the system's.
	CACertificates string
	// RegistryCACertificates are those of its schema registry, "" for the system's.
	RegistryCACertificates string
	// SelectedTopics are the names that spec.topics.selector selects now.
	SelectedTopics []string
	// Shim is the image of the shim.
	Shim Image
	// Namespace of the pod: at admission it may not be in the pod yet.
	Namespace string
	// Seed makes ports of pods with hostNetwork differ: the UID of the request, or of the pod.
	Seed string
	// Workload that the pod belongs to; "" finds it in the pod's owner.
	Workload string
	// Template says that the pod is a template, whose pods have names and indexes that nobody knows yet.
	Template bool
}

// Image of a container.
type Image struct {
	Name string
	// PullPolicy, "" for the API server's default.
	PullPolicy corev1.PullPolicy
}

func (b Binding) profile() string { return b.Config.Namespace + "/" + b.Config.Name }

func (b Binding) audits() bool { return b.Config.Spec.Enforcement == v1alpha1.EnforcementAudit }

// injection is spec.injection with its defaults.
func (b Binding) injection() v1alpha1.ProducerInjection {
	var i v1alpha1.ProducerInjection
	if b.Config.Spec.Injection != nil {
		i = *b.Config.Spec.Injection
	}
	if len(i.Formats) == 0 {
		i.Formats = []v1alpha1.InjectionFormat{"properties", "librdkafka", "json", "env"}
	}
	if i.Conflict == "" {
		i.Conflict = v1alpha1.ConflictOverride
	}
	if i.Grace == "" {
		i.Grace = v1alpha1.GraceWarn
	}
	return i
}

// withListeners is the binding with the pod's own choice of listeners.
func (b Binding) withListeners(l v1alpha1.ShimListeners) Binding {
	if l == "" {
		return b
	}
	var shim v1alpha1.ProducerShim
	if b.Config.Spec.Shim != nil {
		shim = *b.Config.Spec.Shim
	}
	shim.Listeners = l
	b.Config.Spec.Shim = &shim
	return b
}

// listens says which listeners the shim has; none of them means that there is no shim.
func (b Binding) listens() (kafka, http bool) {
	if b.Config.Spec.Shim == nil {
		return false, false
	}
	l := b.Config.Spec.Shim.Listeners
	return l == v1alpha1.ShimKafka || l == v1alpha1.ShimAll, l == v1alpha1.ShimHTTP || l == v1alpha1.ShimAll
}

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// InjectionFormat is a way of handing the configuration to a client; see docs/reference/clients.md.
//
// +kubebuilder:validation:Enum=properties;librdkafka;json;env;spring;microprofile;micronaut;aspire;connect;servicebinding
type InjectionFormat string

// ConflictPolicy says whose value wins when a container already sets what is injected.
//
// +kubebuilder:validation:Enum=Override;Keep;Deny
type ConflictPolicy string

// The conflict policies.
const (
	// ConflictOverride replaces the container's own value.
	ConflictOverride ConflictPolicy = "Override"
	// ConflictKeep leaves it.
	ConflictKeep ConflictPolicy = "Keep"
	// ConflictDeny refuses the pod.
	ConflictDeny ConflictPolicy = "Deny"
)

// GracePolicy says what happens when terminationGracePeriodSeconds is shorter than the drain needs.
//
// +kubebuilder:validation:Enum=Warn;Raise;Deny
type GracePolicy string

// The grace policies.
const (
	// GraceWarn says so.
	GraceWarn GracePolicy = "Warn"
	// GraceRaise raises terminationGracePeriodSeconds.
	GraceRaise GracePolicy = "Raise"
	// GraceDeny refuses the pod.
	GraceDeny GracePolicy = "Deny"
)

// RolloutPolicy says what happens to running pods that only a restart can change.
//
// +kubebuilder:validation:Enum=Manual;Restart
type RolloutPolicy string

// The rollout policies.
const (
	// RolloutManual leaves pods to their owners.
	RolloutManual RolloutPolicy = "Manual"
	// RolloutRestart restarts their workloads, one at a time.
	RolloutRestart RolloutPolicy = "Restart"
)

// ProducerInjection says what pods are given.
type ProducerInjection struct {
	// formats to write. Absent: properties, librdkafka, json and env.
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	// +optional
	Formats []InjectionFormat `json:"formats,omitempty"`
	// conflict: Override, Keep or Deny.
	// +kubebuilder:default=Override
	// +optional
	Conflict ConflictPolicy `json:"conflict,omitempty"`
	// grace: Warn, Raise or Deny.
	// +kubebuilder:default=Warn
	// +optional
	Grace GracePolicy `json:"grace,omitempty"`
	// rollout: Manual or Restart.
	// +kubebuilder:default=Manual
	// +optional
	Rollout RolloutPolicy `json:"rollout,omitempty"`
}

// ShimListeners says which listeners the shim in the pod opens.
//
// +kubebuilder:validation:Enum=None;Kafka;HTTP;All
type ShimListeners string

// The shim's listeners.
const (
	// ShimNone injects no shim.
	ShimNone ShimListeners = "None"
	// ShimKafka opens the Kafka listener.
	ShimKafka ShimListeners = "Kafka"
	// ShimHTTP opens the HTTP listener.
	ShimHTTP ShimListeners = "HTTP"
	// ShimAll opens both.
	ShimAll ShimListeners = "All"
)

// ShimMode says what the shim does about a request that is weaker than the profile.
//
// +kubebuilder:validation:Enum=Audit;Upgrade;Reject
type ShimMode string

// The shim's modes.
const (
	// ShimAudit counts it and lets it pass.
	ShimAudit ShimMode = "Audit"
	// ShimUpgrade makes it as strong as the profile.
	ShimUpgrade ShimMode = "Upgrade"
	// ShimReject answers it with POLICY_VIOLATION.
	ShimReject ShimMode = "Reject"
)

// ProducerShim says what the producer shim does.
type ProducerShim struct {
	// listeners: None, Kafka, HTTP or All.
	// +kubebuilder:default=Kafka
	// +optional
	Listeners ShimListeners `json:"listeners,omitempty"`
	// mode: Audit, Upgrade or Reject.
	// +kubebuilder:default=Upgrade
	// +optional
	Mode ShimMode `json:"mode,omitempty"`
	// drain is how long the shim may take to flush after SIGTERM. Default: deliveryTimeout.
	// +optional
	Drain *metav1.Duration `json:"drain,omitempty"`
}

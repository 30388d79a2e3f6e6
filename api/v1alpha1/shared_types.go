package v1alpha1

// ClusterReference names a KafkaCluster, which is cluster-scoped.
type ClusterReference struct {
	// name of the KafkaCluster.
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Name string `json:"name,omitempty"`
}

// SecretReference names a Secret. Its namespace is never part of it: a KafkaCluster's Secrets are in the operator's
// own namespace, a ProducerProfile's in the pod's.
type SecretReference struct {
	// name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`
}

// SecretKeyReference names one key of a Secret.
type SecretKeyReference struct {
	SecretReference `json:",inline"`

	// key inside the Secret.
	// +kubebuilder:default="ca.crt"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Key string `json:"key,omitempty"`
}

// Int32Range bounds a number; an absent end is open.
//
// +kubebuilder:validation:XValidation:rule="!has(self.min) || !has(self.max) || self.min <= self.max",message="min must not be above max"
type Int32Range struct {
	// min is the smallest number allowed.
	// +kubebuilder:validation:Minimum=1
	// +optional
	Min *int32 `json:"min,omitempty"`
	// max is the largest number allowed.
	// +kubebuilder:validation:Minimum=1
	// +optional
	Max *int32 `json:"max,omitempty"`
}

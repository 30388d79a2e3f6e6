package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// ProducerCredentials names what producers authenticate with.
type ProducerCredentials struct {
	// secretRef names a Secret in the pod's namespace, with the keys that KafkaCluster.spec.sasl.credentialsRef has, or of
	// type kubernetes.io/tls. With schemaRegistryUsername and schemaRegistryPassword it is for the schema registry too.
	// +required
	SecretRef SecretReference `json:"secretRef"`
	// mechanism of SASL; absent with a kubernetes.io/tls Secret.
	// +optional
	Mechanism SASLMechanism `json:"mechanism,omitempty"`
}

// ProducerQuota bounds producers on the brokers (KIP-546). The entity is the user, the client ID, or both.
//
// +kubebuilder:validation:XValidation:rule="has(self.user) || has(self.clientID)",message="a quota needs a user or a clientID to apply to"
type ProducerQuota struct {
	// user is the principal's name, without the User: before it.
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:MinLength=1
	// +optional
	User string `json:"user,omitempty"`
	// clientID is the producers' client.id.
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:MinLength=1
	// +optional
	ClientID string `json:"clientID,omitempty"`
	// producerByteRate is producer_byte_rate: bytes per second and broker.
	// +optional
	ProducerByteRate *resource.Quantity `json:"producerByteRate,omitempty"`
	// requestPercentage is request_percentage: of one broker's network and I/O threads' time.
	// +kubebuilder:validation:Minimum=1
	// +optional
	RequestPercentage *int32 `json:"requestPercentage,omitempty"`
}

// AuthorizationMode says who keeps the ACLs.
//
// +kubebuilder:validation:Enum=None;Manage
type AuthorizationMode string

// The authorization modes.
const (
	// AuthorizationNone leaves ACLs alone.
	AuthorizationNone AuthorizationMode = "None"
	// AuthorizationManage creates, keeps and removes the ACLs that the profile needs.
	AuthorizationManage AuthorizationMode = "Manage"
)

// ProducerAuthorization says which principal is given what the profile needs.
//
// +kubebuilder:validation:XValidation:rule="self.mode != 'Manage' || has(self.principal)",message="authorization.mode Manage needs the principal that the ACLs are for"
type ProducerAuthorization struct {
	// mode: None, or Manage.
	// +kubebuilder:default=None
	// +optional
	Mode AuthorizationMode `json:"mode,omitempty"`
	// principal as Kafka spells it, for example User:checkout.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^[A-Za-z]+:.+$`
	// +optional
	Principal string `json:"principal,omitempty"`
}

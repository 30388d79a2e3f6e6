package inject

// Reason is why something was decided about a pod. They are fixed: people alert on them, and metrics have them as a label.
type Reason string

// Reasons of a refusal. With enforcement Audit the pod is admitted as it is, and the reason is only written down.
const (
	// ReasonAnnotationInvalid: an annotation of the pod cannot be read.
	ReasonAnnotationInvalid Reason = "AnnotationInvalid"
	// ReasonProfileNotFound: there is no such ProducerProfile.
	ReasonProfileNotFound Reason = "ProfileNotFound"
	// ReasonProfileNotAllowed: the profile does not let the pod's namespace refer to it.
	ReasonProfileNotAllowed Reason = "ProfileNotAllowed"
	// ReasonProfileInvalid: the profile breaks a rule.
	ReasonProfileInvalid Reason = "ProfileInvalid"
	// ReasonProfileAmbiguous: two profiles select the pod, and neither is more specific.
	ReasonProfileAmbiguous Reason = "ProfileAmbiguous"
	// ReasonClusterNotFound: there is no such KafkaCluster.
	ReasonClusterNotFound Reason = "ClusterNotFound"
	// ReasonClusterNotAllowed: the KafkaCluster does not let the profile's namespace refer to it.
	ReasonClusterNotAllowed Reason = "ClusterNotAllowed"
	// ReasonAuthorityMissing: the KafkaCluster trusts certificates of a Secret that has none.
	ReasonAuthorityMissing Reason = "AuthorityMissing"
	// ReasonContainerUnknown: producer-containers names a container that the pod does not have.
	ReasonContainerUnknown Reason = "ContainerUnknown"
	// ReasonNameTaken: the pod has a volume, a container or a mount of its own where ours would be.
	ReasonNameTaken Reason = "NameTaken"
	// ReasonEnvConflict: a container sets a variable to something else, and conflict is Deny.
	ReasonEnvConflict Reason = "EnvConflict"
	// ReasonGraceTooShort: the pod has less time to end than its last records may take, and grace is Deny. With Warn it is
	// a decision and no refusal.
	ReasonGraceTooShort Reason = "GraceTooShort"
	// ReasonTransactionalID: the transactional.id cannot be told for this pod.
	ReasonTransactionalID Reason = "TransactionalIDUnknown"
	// ReasonWindows: the pod runs on Windows.
	ReasonWindows Reason = "WindowsPod"
	// ReasonMirrorPod: the pod mirrors a static one, which no API changes.
	ReasonMirrorPod Reason = "MirrorPod"
	// ReasonTooLarge: the annotations would be larger than an object may have.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonContractInvalid: the contract could not be enforced by the shim.
	ReasonContractInvalid Reason = "ContractInvalid"
)

// Reasons of what was decided on the way to an injected pod.
const (
	// ReasonOverridden: a variable of the container's own was replaced.
	ReasonOverridden Reason = "Overridden"
	// ReasonMerged: a value inside SPRING_APPLICATION_JSON or JAVA_TOOL_OPTIONS was replaced.
	ReasonMerged Reason = "Merged"
	// ReasonKept: a variable of the container's own was left, and the profile's is not enforced there.
	ReasonKept Reason = "Kept"
	// ReasonLeftOut: a variable was not injected, because it goes together with one that was kept.
	ReasonLeftOut Reason = "LeftOut"
	// ReasonUnseen: a value comes from a ConfigMap or Secret that admission does not read.
	ReasonUnseen Reason = "Unseen"
	// ReasonPortMoved: a listener of the shim has another port than usual.
	ReasonPortMoved Reason = "PortMoved"
	// ReasonGraceRaised: terminationGracePeriodSeconds was raised.
	ReasonGraceRaised Reason = "GraceRaised"
	// ReasonTransactionalIDByEnv: the transactional.id is in the environment and in no file.
	ReasonTransactionalIDByEnv Reason = "TransactionalIDByEnv"
)

// Reasons of a pod that was left alone.
const (
	// ReasonOptedOut: the annotation producer-inject is "false".
	ReasonOptedOut Reason = "OptedOut"
	// ReasonNotAsked: no annotation and no selector binds it.
	ReasonNotAsked Reason = "NotAsked"
)

// Refusals are the reasons of refusals, in the order of the reference page.
func Refusals() []Reason {
	return []Reason{
		ReasonAnnotationInvalid, ReasonProfileNotFound, ReasonProfileNotAllowed, ReasonProfileInvalid, ReasonProfileAmbiguous,
		ReasonClusterNotFound, ReasonClusterNotAllowed, ReasonAuthorityMissing, ReasonContainerUnknown, ReasonNameTaken, ReasonEnvConflict,
		ReasonGraceTooShort, ReasonTransactionalID, ReasonWindows, ReasonMirrorPod, ReasonTooLarge, ReasonContractInvalid,
	}
}

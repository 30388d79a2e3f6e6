package inject

import (
	"bytes"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// By says what bound a pod to its profile.
type By string

// What binds a pod.
const (
	ByAnnotation By = "annotation"
	BySelector   By = "selector"
)

// Status is the annotation kafka.mooring.dev/producer-status: what a pod was given and why, and what has to be known to take
// it back. It holds no secret that the pod's own spec did not hold.
type Status struct {
	Verdict Verdict `json:"verdict"`
	// Profile is namespace/name.
	Profile string `json:"profile"`
	By      By     `json:"by"`
	// Hash of the contract.
	Hash string `json:"hash,omitempty"`
	// Spec is a hash of all that is in the pod's spec: when the profile comes to another one, only a restart brings it.
	Spec string `json:"spec,omitempty"`
	// Containers that were injected.
	Containers []string   `json:"containers,omitempty"`
	Decisions  []Decision `json:"decisions,omitempty"`
	// Refusal is what the profile would have refused the pod for, were it not only auditing.
	Refusal string `json:"refusal,omitempty"`
	Added   *Added `json:"added,omitempty"`
}

// Added is what Strip takes back.
type Added struct {
	Ports Ports `json:"ports,omitzero"`
	// Env are the names of the variables that were prepended, by container.
	Env map[string][]string `json:"env,omitempty"`
	// Replaced are the containers' own variables that made room.
	Replaced []Replaced `json:"replaced,omitempty"`
	// Merged are values that were changed in their place.
	Merged []Merged `json:"merged,omitempty"`
	// Grace is terminationGracePeriodSeconds before and after it was raised.
	Grace *Grace `json:"grace,omitempty"`
}

// Ports that the shim listens on; 0 is not at all.
type Ports struct {
	Kafka  int32 `json:"kafka,omitempty"`
	HTTP   int32 `json:"http,omitempty"`
	Status int32 `json:"status,omitempty"`
}

// Replaced is a variable that was in a container's list at Index.
type Replaced struct {
	Container string        `json:"container"`
	Index     int           `json:"index"`
	Env       corev1.EnvVar `json:"env"`
}

// Merged is a value that was changed in its place.
type Merged struct {
	Container string `json:"container"`
	Name      string `json:"name"`
	Was       string `json:"was"`
	Now       string `json:"now"`
}

// Grace is a terminationGracePeriodSeconds; Was is nil where the pod had none.
type Grace struct {
	Was *int64 `json:"was,omitempty"`
	Now int64  `json:"now"`
}

// StatusOf reads the status annotation. It is false where there is none.
func StatusOf(annotations map[string]string) (Status, bool, error) {
	text, ok := annotations[v1alpha1.AnnotationProducerStatus]
	if !ok {
		return Status{}, false, nil
	}
	var s Status
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return Status{}, true, fmt.Errorf("it is not what Mooring writes (%w); remove the annotation, and what was injected with it", err)
	}
	return s, true, nil
}

// text is the status as an annotation: compact, and the same text for the same status.
func (s Status) text() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return "{}" // quantities and strings always encode
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

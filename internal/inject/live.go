package inject

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// State is how a running pod stands to its profile.
type State string

// The states.
const (
	// Current: the pod carries what the profile comes to now.
	Current State = "Current"
	// Stale: its annotations have to be patched; the files in the pod follow.
	Stale State = "Stale"
	// NeedRestart: something is in the pod's spec, which does not change while it runs. What can be patched is.
	NeedRestart State = "NeedRestart"
	// Missed: the pod asks for a profile and was never injected.
	Missed State = "Missed"
)

// Refreshed is what a running pod should carry.
type Refreshed struct {
	State State
	// Annotations to set; empty when there is nothing to patch.
	Annotations map[string]string
	// Spec is the hash of what the pod's spec should hold; a restart brings it.
	Spec string
	// Refusal says why the present profile cannot be given to the pod, which then keeps what it has.
	Refusal *Refusal
}

// Refresh says what a running pod should carry, by its metadata alone. The binding must be resolved for its namespace.
func Refresh(meta *metav1.ObjectMeta, b Binding) Refreshed {
	status, injected, err := StatusOf(meta.Annotations)
	switch {
	case err != nil:
		return Refreshed{State: Stale, Refusal: refuse(ReasonAnnotationInvalid, annotationField(v1alpha1.AnnotationProducerStatus), "%v", err)}
	case !injected:
		return Refreshed{State: Missed}
	case status.Verdict != Injected || status.Added == nil:
		if b.audits() {
			return Refreshed{State: Current}
		}
		return Refreshed{State: NeedRestart, Spec: "inject"}
	}
	request, refusal := ReadRequest(meta.Annotations, meta.Namespace)
	if refusal == nil {
		b = b.withListeners(request.Listeners)
		refusal = checkConfig(b)
	}
	if refusal != nil {
		return Refreshed{State: Stale, Refusal: refusal}
	}
	return refresh(meta, b, status)
}

func refresh(meta *metav1.ObjectMeta, b Binding, status Status) Refreshed {
	f := factsOf(meta, b)
	f.containers, f.ports = status.Containers, status.Added.Ports
	kafka, http := b.listens()
	if f.ports.Kafka == 0 && kafka {
		f.ports.Kafka = PortKafka // a listener that the pod does not have yet: the restart will choose
	}
	if f.ports.HTTP == 0 && http {
		f.ports.HTTP = PortHTTP
	}
	if f.ports.Status == 0 && (kafka || http) {
		f.ports.Status = PortStatus
	}
	r, refusal := render(b, f)
	if refusal != nil {
		return Refreshed{State: Stale, Refusal: refusal}
	}
	out := Refreshed{State: Current, Spec: r.spec(), Annotations: make(map[string]string)}
	if b.audits() {
		out.Spec = "audit" // the pod was injected, and is to be left alone from its next start on
	}
	want := map[string]string{v1alpha1.AnnotationContract: r.contract}
	for _, file := range r.files {
		if key := annotationOf(file.Name); hasKey(meta.Annotations, key) { // a new file is not in the pod's volume yet
			want[key] = file.Content
		}
	}
	status.Hash, status.Profile = b.Config.Hash(), b.profile()
	want[v1alpha1.AnnotationProducerStatus] = status.text()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if meta.Annotations[key] != want[key] {
			out.Annotations[key] = want[key]
		}
	}
	after := maps.Clone(meta.Annotations)
	maps.Copy(after, out.Annotations)
	if refusal := checkSize(after); refusal != nil {
		return Refreshed{State: Stale, Refusal: refusal}
	}
	switch {
	case out.Spec != status.Spec:
		out.State = NeedRestart
	case len(out.Annotations) > 0:
		out.State = Stale
	}
	return out
}

func hasKey(m map[string]string, key string) bool {
	_, ok := m[key]
	return ok
}

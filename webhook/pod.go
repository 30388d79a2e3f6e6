package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/controllers"
	"mooring.dev/mooring/internal/inject"
)

// Everybody who did not ask stays away from here: the first webhook takes pods with an annotation of ours, a misspelt one too,
// the second the others in namespaces that are labelled for the profiles' selectors. So failurePolicy Fail harms nobody else.

// +kubebuilder:webhookconfiguration:mutating=true,name=mooring
// +kubebuilder:webhook:path=/mutate-v1-pod,mutating=true,failurePolicy=fail,sideEffects=NoneOnDryRun,timeoutSeconds=5,reinvocationPolicy=IfNeeded,groups="",resources=pods,verbs=create,versions=v1,name=pods.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["mooring-system"]}]},"matchConditions":[{"name":"asks","expression":"has(object.metadata.annotations) && object.metadata.annotations.exists(k, k.startsWith('kafka.mooring.dev/'))"},{"name":"no-mirror","expression":"!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)"}]}`
// +kubebuilder:webhook:path=/mutate-v1-pod,mutating=true,failurePolicy=fail,sideEffects=NoneOnDryRun,timeoutSeconds=5,reinvocationPolicy=IfNeeded,groups="",resources=pods,verbs=create,versions=v1,name=selected-pods.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"namespaceSelector":{"matchLabels":{"kafka.mooring.dev/injection":"enabled"},"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["mooring-system"]}]},"matchConditions":[{"name":"does-not-ask-by-annotation","expression":"!has(object.metadata.annotations) || !object.metadata.annotations.exists(k, k.startsWith('kafka.mooring.dev/'))"},{"name":"no-mirror","expression":"!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)"}]}`

const pathPods = "/mutate-v1-pod"

// podInjector gives pods their contract. It is a handler of its own and no Defaulter: controller-runtime turns an error of a
// Defaulter into a refusal, whatever failurePolicy says. See server for what becomes of a fault.
type podInjector struct {
	source   controllers.ContractSource
	recorder recorder
}

// recorder of Events; it does not block.
type recorder interface {
	Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any)
}

// Handle implements admission.Handler.
func (h *podInjector) Handle(ctx context.Context, req admission.Request) admission.Response {
	begin := time.Now()
	defer func() { injectionSeconds.Observe(time.Since(begin).Seconds()) }()
	var pod corev1.Pod
	if err := json.Unmarshal(req.Object.Raw, &pod); err != nil {
		return fail(fmt.Errorf("read the pod: %w", err))
	}
	out, report, err := h.mutate(ctx, &pod, req)
	if err != nil {
		return fail(err)
	}
	countInjection(report)
	if req.DryRun == nil || !*req.DryRun {
		h.announce(&pod, req.Namespace, report)
	}
	if report.Verdict == inject.Refused {
		return refused(report.Refusal)
	}
	// Of the pod as we read it, not as it came: fields that a newer API server knows and we do not must not be patched away.
	return patched(&pod, out).WithWarnings(warningsOf(report)...)
}

func (h *podInjector) mutate(ctx context.Context, pod *corev1.Pod, req admission.Request) (*corev1.Pod, inject.Report, error) {
	found, err := h.source.Find(ctx, &pod.ObjectMeta, req.Namespace)
	if err != nil {
		return nil, inject.Report{}, err
	}
	switch {
	case found.Refusal != nil:
		out, report := inject.Refuse(pod, found.Profile, found.By, found.Refusal)
		return out, report, nil
	case found.Profile == nil:
		out, report := leaveAlone(pod, found)
		return out, report, nil
	}
	b, refusal, err := h.source.Bind(ctx, found.Profile, found.By, req.Namespace)
	if err != nil {
		return nil, inject.Report{}, err
	}
	if refusal != nil {
		out, report := inject.Refuse(pod, found.Profile, found.By, refusal)
		return out, report, nil
	}
	b.Seed = string(req.UID)
	out, report := inject.Mutate(pod, b)
	return out, report, nil
}

// leaveAlone takes back what a pod was copied with, and gives it nothing.
func leaveAlone(pod *corev1.Pod, found controllers.Found) (*corev1.Pod, inject.Report) {
	reason := inject.ReasonNotAsked
	if found.OptedOut {
		reason = inject.ReasonOptedOut
	}
	report := inject.Report{Verdict: inject.LeftAlone, Decisions: []inject.Decision{{Reason: reason}}}
	out, _, err := inject.Strip(pod)
	if err != nil {
		return pod, report // nobody asked, so what is there is not ours to judge
	}
	return out, report
}

// announce tells the owner what was refused, or would have been: a person reads the Events of the workload, and not those of
// a pod that never was.
func (h *podInjector) announce(pod *corev1.Pod, namespace string, report inject.Report) {
	owner := metav1.GetControllerOf(pod)
	if owner == nil || report.Refusal == nil || h.recorder == nil {
		return
	}
	regarding := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: owner.APIVersion, Kind: owner.Kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: owner.Name, UID: owner.UID},
	}
	reason, note := "InjectionRefused", report.Refusal.Sentence()
	if report.Verdict == inject.Audited {
		reason, note = "InjectionWouldRefuse", "enforcement Audit admits this pod; Enforce would refuse it: "+note
	}
	h.recorder.Eventf(regarding, nil, corev1.EventTypeWarning, reason, "Inject", "%s", controllers.Note(note))
}

// refused is a refusal of policy, whatever failurePolicy says.
func refused(r *inject.Refusal) admission.Response {
	response := admission.Denied(r.Sentence())
	response.Result.Details = &metav1.StatusDetails{Kind: "pods", Causes: []metav1.StatusCause{{Type: metav1.CauseType(r.Reason), Field: r.Field, Message: r.Message}}}
	return response
}

// fail is a fault of ours: see server.
func fail(err error) admission.Response {
	injections.WithLabelValues("fault", "").Inc()
	return admission.Errored(http.StatusInternalServerError, err)
}

// patched is the difference between two objects.
func patched(before, after any) admission.Response {
	was, err := json.Marshal(before)
	is, errAfter := json.Marshal(after)
	if err != nil || errAfter != nil {
		return fail(errors.New("an object that was read cannot be written"))
	}
	return admission.PatchResponseFromRaw(was, is)
}

// maxWarnings and maxWarning keep within what API servers pass on (KEP-1693).
const (
	maxWarnings = 8
	maxWarning  = 250
)

// warningsOf are for a person who makes a pod himself; controllers drop them.
func warningsOf(report inject.Report) []string {
	if report.Verdict == inject.LeftAlone {
		return nil
	}
	var warnings []string
	add := func(text string) {
		warnings = append(warnings, controllers.Cut("mooring: "+text, maxWarning))
	}
	if report.Refusal != nil {
		add("enforcement Audit; Enforce would refuse: " + report.Refusal.Sentence())
	}
	for _, d := range report.Decisions {
		if len(warnings) == maxWarnings {
			break
		}
		if d.Container != "" {
			d.Subject = d.Container + "/" + d.Subject
		}
		add(fmt.Sprintf("%s %s: %s", d.Reason, d.Subject, d.Message))
	}
	return warnings
}

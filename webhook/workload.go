package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/controllers"
	"mooring.dev/mooring/internal/inject"
)

// A workload comes here when it, or what it was, has an annotation of ours, and when the annotations or the template change:
// neither scaling nor a change of status waits for us. A Job's template cannot change after it was made.

// +kubebuilder:webhook:path=/mutate-workload,mutating=true,failurePolicy=fail,sideEffects=None,timeoutSeconds=5,reinvocationPolicy=IfNeeded,groups=apps,resources=deployments;statefulsets;daemonsets,verbs=create;update,versions=v1,name=workloads.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["mooring-system"]}]},"matchConditions":[{"name":"asks","expression":"(has(object.metadata.annotations) && object.metadata.annotations.exists(k, k.startsWith('kafka.mooring.dev/'))) || (has(object.spec.template.metadata) && has(object.spec.template.metadata.annotations) && 'kafka.mooring.dev/producer-copied' in object.spec.template.metadata.annotations)"},{"name":"changed","expression":"oldObject == null || object.metadata.?annotations != oldObject.metadata.?annotations || object.spec.template != oldObject.spec.template"},{"name":"not-being-deleted","expression":"!has(object.metadata.deletionTimestamp)"}]}`
// +kubebuilder:webhook:path=/mutate-workload,mutating=true,failurePolicy=fail,sideEffects=None,timeoutSeconds=5,reinvocationPolicy=IfNeeded,groups=batch,resources=jobs,verbs=create,versions=v1,name=jobs.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["mooring-system"]}]},"matchConditions":[{"name":"asks","expression":"has(object.metadata.annotations) && object.metadata.annotations.exists(k, k.startsWith('kafka.mooring.dev/'))"}]}`
// +kubebuilder:webhook:path=/mutate-workload,mutating=true,failurePolicy=fail,sideEffects=None,timeoutSeconds=5,reinvocationPolicy=IfNeeded,groups=batch,resources=cronjobs,verbs=create;update,versions=v1,name=cronjobs.kafka.mooring.dev,admissionReviewVersions=v1,serviceName=mooring-webhook,serviceNamespace=mooring-system,patch=`{"namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["mooring-system"]}]},"matchConditions":[{"name":"asks","expression":"(has(object.metadata.annotations) && object.metadata.annotations.exists(k, k.startsWith('kafka.mooring.dev/'))) || (has(object.spec.jobTemplate.spec.template.metadata) && has(object.spec.jobTemplate.spec.template.metadata.annotations) && 'kafka.mooring.dev/producer-copied' in object.spec.jobTemplate.spec.template.metadata.annotations)"},{"name":"changed","expression":"oldObject == null || object.metadata.?annotations != oldObject.metadata.?annotations || object.spec.jobTemplate != oldObject.spec.jobTemplate"},{"name":"not-being-deleted","expression":"!has(object.metadata.deletionTimestamp)"}]}`

const pathWorkloads = "/mutate-workload"

// workloadAnnotator copies what the annotations of a workload ask for to its pod template, and takes it back.
type workloadAnnotator struct {
	source controllers.ContractSource
}

// Handle implements admission.Handler.
func (h *workloadAnnotator) Handle(ctx context.Context, req admission.Request) admission.Response {
	var o unstructured.Unstructured
	d := json.NewDecoder(bytes.NewReader(req.Object.Raw))
	if err := d.Decode(&o.Object); err != nil {
		return fail(fmt.Errorf("read the %s: %w", req.Kind.Kind, err))
	}
	if owner := metav1.GetControllerOf(&o); owner != nil && req.Kind.Kind == "Job" {
		return admission.Allowed("") // the template of its CronJob has what was asked for
	}
	path := inject.TemplatePath(req.Kind.Kind)
	if path == nil {
		return admission.Allowed("")
	}
	field := append(path, "metadata", "annotations")
	template, _, err := unstructured.NestedStringMap(o.Object, field...)
	if err != nil {
		return admission.Allowed("") // the API server refuses such annotations in its own words
	}
	annotations, differ := inject.CopyToTemplate(o.GetAnnotations(), template)
	if !differ {
		return admission.Allowed("").WithWarnings(h.warnings(ctx, &o, path, req.Namespace)...)
	}
	after := o.DeepCopy()
	if len(annotations) == 0 {
		unstructured.RemoveNestedField(after.Object, field...)
	} else if err := unstructured.SetNestedStringMap(after.Object, annotations, field...); err != nil {
		return fail(err)
	}
	return patched(o.Object, after.Object).WithWarnings(h.warnings(ctx, after, path, req.Namespace)...)
}

// warnings say now what would be refused when the pods are made: then nobody is looking. A fault here says nothing about the
// workload, and what is missing may be on its way.
func (h *workloadAnnotator) warnings(ctx context.Context, o *unstructured.Unstructured, path []string, namespace string) []string {
	pod, err := templatePod(o, path)
	if err != nil {
		return nil
	}
	found, err := h.source.Find(ctx, &pod.ObjectMeta, namespace)
	if err != nil || found.Refusal == nil && found.Profile == nil {
		return nil
	}
	refusal := found.Refusal
	if refusal == nil {
		var b inject.Binding
		if b, refusal, err = h.source.Bind(ctx, found.Profile, found.By, namespace); err != nil {
			return nil
		}
		if refusal == nil {
			b.Template, b.Workload = true, o.GetName()
			_, report := inject.Mutate(pod, b)
			refusal = report.Refusal
		}
	}
	if refusal == nil {
		return nil
	}
	return warningsOf(inject.Report{Verdict: inject.Refused, Decisions: []inject.Decision{{Reason: refusal.Reason, Message: "pods of this template would be refused: " + refusal.Sentence()}}})
}

func templatePod(o *unstructured.Unstructured, path []string) (*corev1.Pod, error) {
	content, _, err := unstructured.NestedMap(o.Object, path...)
	if err != nil {
		return nil, err
	}
	var template corev1.PodTemplateSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &template); err != nil {
		return nil, err
	}
	return &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}, nil
}

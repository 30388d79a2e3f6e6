package lint

import (
	"fmt"
	"slices"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/producer"
)

// workload is what makes pods. Of what Kubernetes itself judges, nothing is judged here.
type workload struct {
	*manifest.Object
	namespace string
	// metadata are the paths of the metadata that Mooring reads: the workload's, and its pod template's.
	metadata []string
	// pod is the path of the pod's spec, "spec" for a Pod.
	pod string
}

// templates are the paths of the pod template in each kind; "" for a Pod, which is one.
var templates = map[string]string{
	"Pod": "", "Deployment": "spec.template", "StatefulSet": "spec.template", "DaemonSet": "spec.template", "ReplicaSet": "spec.template",
	"Job": "spec.template", "CronJob": "spec.jobTemplate.spec.template",
}

func workloadOf(o *manifest.Object, namespace string) (workload, bool) {
	path, ok := templates[o.GVK.Kind]
	if !ok || !slices.Contains([]string{"", "apps", "batch"}, o.GVK.Group) {
		return workload{}, false
	}
	w := workload{Object: o, namespace: o.Namespace(), metadata: []string{"metadata"}, pod: "spec"}
	if w.namespace == "" {
		w.namespace = namespace
	}
	if path != "" {
		w.metadata = append(w.metadata, path+".metadata")
		w.pod = path + ".spec"
	}
	return w, true
}

// judgeWorkloads judges what annotations ask for.
func (l *linter) judgeWorkloads() {
	for _, w := range l.workloads {
		for _, path := range w.metadata {
			annotations := texts(at(w.Content, append(strings.Split(path, "."), "annotations")...))
			for _, key := range slices.Sorted(keys(annotations)) {
				l.judgeValue(w, annotationField(path, key), key, annotations[key])
			}
		}
	}
}

func annotationField(path, key string) string { return path + ".annotations[" + key + "]" }

func (l *linter) judgeValue(w workload, field, key, value string) {
	switch key {
	case v1alpha1.AnnotationProducerProfile:
		l.judgeReference(w, field, value)
	case v1alpha1.AnnotationProducerShim:
		l.judgeWord(w, field, value, "none", "kafka", "http", "all")
	case v1alpha1.AnnotationProducerInject:
		l.judgeWord(w, field, value, "false", "true")
	case v1alpha1.AnnotationProducerContainers:
		l.judgeContainers(w, field, value)
	}
}

func (l *linter) judgeWord(w workload, field, value string, allowed ...string) {
	word := strings.ToLower(strings.TrimSpace(value)) // as injection reads it
	if slices.Contains(allowed, word) {
		return
	}
	l.report(w.Object, ruleValue, field, fmt.Sprintf("%.100q is not known; it is one of %s%s", value, strings.Join(allowed, ", "), didYouMean(word, allowed)))
}

func (l *linter) judgeContainers(w workload, field, value string) {
	names := l.containers(w)
	if len(names) == 0 {
		return
	}
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			l.report(w.Object, ruleContainer, field, fmt.Sprintf("there is no container %.100q; the pod has %s%s", name, strings.Join(names, ", "), didYouMean(name, names)))
		}
	}
}

func (l *linter) containers(w workload) []string {
	spec := strings.Split(w.pod, ".")
	var names []string
	for _, list := range []string{"containers", "initContainers"} {
		items, _ := at(w.Content, append(slices.Clone(spec), list)...).([]any)
		for _, item := range items {
			if name, ok := at(item, "name").(string); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// judgeReference looks for the profile that an annotation names, [namespace/]name.
func (l *linter) judgeReference(w workload, field, value string) {
	namespace, name, qualified := strings.Cut(strings.TrimSpace(value), "/")
	if !qualified {
		namespace, name = w.namespace, namespace
	}
	if name == "" || namespace == "" || strings.Contains(name, "/") {
		l.report(w.Object, ruleValue, field, fmt.Sprintf("%.100q is no reference to a ProducerProfile; write its name, or namespace/name", value))
		return
	}
	var known []string
	for _, p := range l.profiles {
		if p.value.Namespace == namespace && p.value.Name == name {
			l.judgeBinding(w, field, p.value)
			return
		}
		known = append(known, p.value.Name)
	}
	l.report(w.Object, ruleProfile, field, fmt.Sprintf("no ProducerProfile %s/%s is in these files; if none is in the cluster either, admission refuses the pod%s",
		namespace, name, didYouMean(name, known)))
}

func (l *linter) judgeBinding(w workload, field string, p *v1alpha1.ProducerProfile) {
	if p.Namespace != w.namespace && p.Spec.AllowedNamespaces == nil {
		l.report(w.Object, ruleProfileAway, field, fmt.Sprintf("ProducerProfile %s/%s serves its own namespace only, and this is namespace %s; add spec.allowedNamespaces to the profile, or use one of this namespace",
			p.Namespace, p.Name, w.namespace))
	}
	grace := int64(30) // Kubernetes' default
	path := w.pod + ".terminationGracePeriodSeconds"
	switch n := at(w.Content, strings.Split(path, ".")...).(type) {
	case int64:
		grace = n
	case nil:
	default:
		return // Kubernetes has something to say about it
	}
	if i := p.Spec.Injection; i != nil && i.Grace == "Raise" {
		return
	}
	for _, f := range producer.CheckGrace(l.resolve(p, w.namespace), grace) {
		l.report(w.Object, ruleGrace, path, fmt.Sprintf("ProducerProfile %s/%s: %s", p.Namespace, p.Name, f.Message))
	}
}

func didYouMean(name string, known []string) string {
	if near := producer.Nearest(name, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

package inject

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// facts are what a rendering needs of a pod. All of them are in its metadata, so that a running pod is judged without its
// spec. "" is what nobody knows yet.
type facts struct {
	namespace, pod, ordinal, workload string
	// containers that are injected, in their order.
	containers []string
	ports      Ports
}

// factsOf reads the metadata of a pod. A name that the API server makes is not known at admission, and must not be known
// afterwards either: the files of a running pod would change under it.
func factsOf(meta *metav1.ObjectMeta, b Binding) facts {
	f := facts{namespace: b.Namespace, workload: b.Workload}
	if f.namespace == "" {
		f.namespace = meta.Namespace
	}
	if f.workload == "" {
		f.workload = WorkloadOf(meta)
	}
	if b.Template {
		return f
	}
	if meta.GenerateName == "" {
		f.pod = meta.Name
	}
	for _, from := range []string{meta.Labels[labelPodIndex], meta.Labels[labelJobIndex], meta.Annotations[labelJobIndex]} {
		if f.ordinal == "" {
			f.ordinal = from
		}
	}
	return f
}

// WorkloadOf is the name of what a person made: the Deployment of a ReplicaSet, the StatefulSet, DaemonSet or Job, or the
// bare pod itself.
func WorkloadOf(meta *metav1.ObjectMeta) string {
	owner := metav1.GetControllerOf(meta)
	switch hash := meta.Labels[labelTemplateHash]; {
	case owner != nil && owner.Kind == "ReplicaSet" && hash != "":
		return strings.TrimSuffix(owner.Name, "-"+hash)
	case owner != nil:
		return owner.Name
	case meta.GenerateName != "":
		return strings.TrimRight(meta.GenerateName, "-")
	}
	return meta.Name
}

// ids are the placeholders of a transactional.id that are known.
func (f facts) ids() map[string]string {
	known := map[string]string{"namespace": f.namespace, "workload": f.workload, "pod": f.pod, "ordinal": f.ordinal}
	for name, value := range known {
		if value == "" {
			delete(known, name)
		}
	}
	return known
}

package cli

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/inject"
	"mooring.dev/mooring/internal/producer"
)

// offlineWorld is what the webhook would find in the cache, out of files.
type offlineWorld struct {
	image      string
	profiles   []v1alpha1.ProducerProfile
	clusters   map[string]*v1alpha1.KafkaCluster
	secrets    map[string]*corev1.Secret // by name; the operator's namespace is not known here
	namespaces map[string]*corev1.Namespace
}

func newOfflineWorld(objects []manifest.Object, image string) (*offlineWorld, error) {
	w := &offlineWorld{image: image, clusters: make(map[string]*v1alpha1.KafkaCluster), secrets: make(map[string]*corev1.Secret), namespaces: make(map[string]*corev1.Namespace)}
	for i := range objects {
		o := &objects[i]
		var err error
		switch {
		case o.GVK == v1alpha1.GroupVersion.WithKind(manifest.KindProfile):
			var p v1alpha1.ProducerProfile
			err = o.Decode(&p)
			w.profiles = append(w.profiles, p)
		case o.GVK == v1alpha1.GroupVersion.WithKind(manifest.KindCluster):
			k := &v1alpha1.KafkaCluster{}
			err = o.Decode(k)
			w.clusters[k.Name] = k
		case o.GVK.Group == "" && o.GVK.Kind == "Secret":
			s := &corev1.Secret{}
			err = o.Decode(s)
			w.secrets[s.Name] = s
		case o.GVK.Group == "" && o.GVK.Kind == "Namespace":
			n := &corev1.Namespace{}
			err = o.Decode(n)
			w.namespaces[n.Name] = n
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", o.Source, o.String(), err)
		}
	}
	return w, nil
}

// isInput says whether an object is read and not printed.
func (w *offlineWorld) isInput(o *manifest.Object) bool {
	return o.GVK.Group == v1alpha1.GroupVersion.Group || o.GVK.Group == "" && slices.Contains([]string{"Secret", "Namespace"}, o.GVK.Kind)
}

// inject is one object with its pod, or its pod template, as the webhooks would make it.
func (w *offlineWorld) inject(o *manifest.Object, namespace string) (map[string]any, inject.Report, error) {
	report := inject.Report{Verdict: inject.LeftAlone}
	path, ok := templatePath(o)
	if !ok {
		return o.Content, report, nil
	}
	if o.Namespace() != "" {
		namespace = o.Namespace()
	}
	asked, _, _ := unstructured.NestedStringMap(o.Content, "metadata", "annotations")
	before := runtimeCopy(o.Content)
	err := editTemplate(o.Content, path, func(pod *corev1.Pod) (*corev1.Pod, error) {
		if len(path) > 0 {
			pod.Annotations, _ = inject.CopyToTemplate(asked, pod.Annotations)
		}
		out, r := w.mutate(pod, namespace, o.Name(), len(path) > 0)
		report = r
		return out, nil
	})
	if report.Verdict == inject.LeftAlone || report.Verdict == inject.Refused {
		return before, report, err
	}
	return o.Content, report, err
}

func runtimeCopy(content map[string]any) map[string]any {
	return (&unstructured.Unstructured{Object: content}).DeepCopy().Object
}

func (w *offlineWorld) mutate(pod *corev1.Pod, namespace, name string, template bool) (*corev1.Pod, inject.Report) {
	p, by, refusal := w.find(pod, namespace)
	if refusal != nil {
		return inject.Refuse(pod, p, by, refusal)
	}
	if p == nil {
		return pod, inject.Report{Verdict: inject.LeftAlone}
	}
	b := inject.Binding{
		Config: producer.Resolve(p, w.clusters[clusterOf(p)], namespace), By: by, Shim: inject.Image{Name: w.image}, Namespace: namespace, Seed: namespace + "/" + name, Template: template,
	}
	if template {
		b.Workload = name
	}
	if k := w.clusters[clusterOf(p)]; k != nil {
		if refusal := inject.ClusterConsent(k, w.place(p.Namespace)); refusal != nil {
			return inject.Refuse(pod, p, by, refusal)
		}
		if k.Spec.TLS != nil && k.Spec.TLS.CABundleRef != nil {
			if s := w.secrets[k.Spec.TLS.CABundleRef.Name]; s != nil {
				b.CACertificates = secretText(s, k.Spec.TLS.CABundleRef.Key)
			}
		}
		if r := k.Spec.SchemaRegistry; r != nil && r.CABundleRef != nil {
			if s := w.secrets[r.CABundleRef.Name]; s != nil {
				b.RegistryCACertificates = secretText(s, r.CABundleRef.Key)
			}
		}
	}
	return inject.Mutate(pod, b)
}

func clusterOf(p *v1alpha1.ProducerProfile) string {
	if p.Spec.ClusterRef.Name == "" {
		return "default"
	}
	return p.Spec.ClusterRef.Name
}

func secretText(s *corev1.Secret, key string) string {
	if key == "" {
		key = "ca.crt"
	}
	if text, ok := s.StringData[key]; ok {
		return text
	}
	return string(s.Data[key])
}

func (w *offlineWorld) place(namespace string) inject.Place {
	place := inject.Place{Name: namespace}
	if n := w.namespaces[namespace]; n != nil {
		place.Labels = maps.Clone(n.Labels)
	}
	return place
}

// find is the profile of a pod, by its annotation or by a selector.
func (w *offlineWorld) find(pod *corev1.Pod, namespace string) (*v1alpha1.ProducerProfile, inject.By, *inject.Refusal) {
	request, refusal := inject.ReadRequest(pod.Annotations, namespace)
	switch {
	case request.OptOut:
		return nil, inject.ByAnnotation, nil
	case refusal != nil:
		return nil, inject.ByAnnotation, refusal
	case request.Name == "":
		p, refusal := inject.Select(pod.Labels, w.place(namespace), w.profiles)
		return p, inject.BySelector, refusal
	}
	for i := range w.profiles {
		if p := &w.profiles[i]; p.Namespace == request.Namespace && p.Name == request.Name {
			return p, inject.ByAnnotation, inject.Consent(p, w.place(namespace))
		}
	}
	return nil, inject.ByAnnotation, &inject.Refusal{Reason: inject.ReasonProfileNotFound, Field: "metadata.annotations[" + v1alpha1.AnnotationProducerProfile + "]",
		Message: fmt.Sprintf("ProducerProfile %s/%s is not in these files; name its file with -f", request.Namespace, request.Name)}
}

package inject

import (
	"slices"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// Request is what the annotations of a pod, a template or a workload ask for.
type Request struct {
	// Namespace and Name of the profile; Name is "" where no annotation asks.
	Namespace, Name string
	// Containers to inject; empty is all.
	Containers []string
	// Listeners override the profile's spec.shim.listeners; "" leaves them.
	Listeners v1alpha1.ShimListeners
	// OptOut of a profile's selector.
	OptOut bool
}

// listenersOf are the words of the annotation producer-shim.
var listenersOf = map[string]v1alpha1.ShimListeners{
	"none": v1alpha1.ShimNone, "kafka": v1alpha1.ShimKafka, "http": v1alpha1.ShimHTTP, "all": v1alpha1.ShimAll,
}

var shimWords = []string{"none", "kafka", "http", "all"}

// ReadRequest reads the annotations of an object in a namespace.
func ReadRequest(annotations map[string]string, namespace string) (Request, *Refusal) {
	r := Request{Namespace: namespace, OptOut: strings.EqualFold(strings.TrimSpace(annotations[v1alpha1.AnnotationProducerInject]), "false")}
	if r.OptOut {
		return r, nil
	}
	if text, asked := annotations[v1alpha1.AnnotationProducerProfile]; asked {
		name := strings.TrimSpace(text)
		if before, after, qualified := strings.Cut(name, "/"); qualified {
			r.Namespace, name = before, after
		}
		r.Name = name
		if r.Name == "" || r.Namespace == "" && strings.Contains(text, "/") || strings.Contains(r.Name, "/") {
			return r, refuse(ReasonAnnotationInvalid, annotationField(v1alpha1.AnnotationProducerProfile),
				"%.100q names no ProducerProfile; write its name, or namespace/name", text)
		}
	}
	for _, name := range strings.Split(annotations[v1alpha1.AnnotationProducerContainers], ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(r.Containers, name) {
			r.Containers = append(r.Containers, name)
		}
	}
	if text, asked := annotations[v1alpha1.AnnotationProducerShim]; asked {
		word := strings.ToLower(strings.TrimSpace(text))
		listeners, known := listenersOf[word]
		if !known {
			return r, refuse(ReasonAnnotationInvalid, annotationField(v1alpha1.AnnotationProducerShim),
				"%.100q is not known%s; it must be one of %s", text, didYouMean(word, shimWords), strings.Join(shimWords, ", "))
		}
		r.Listeners = listeners
	}
	return r, nil
}

func annotationField(key string) string { return "metadata.annotations[" + key + "]" }

// didYouMean is ", did you mean NAME?" or "".
func didYouMean(name string, known []string) string {
	if near := producer.Nearest(name, known); near != "" {
		return ", did you mean " + near + "?"
	}
	return ""
}

package inject

import (
	"maps"
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
			r.Name = ""
			return r, refuse(ReasonAnnotationInvalid, annotationField(v1alpha1.AnnotationProducerProfile),
				"%.100q names no ProducerProfile; write its name, or namespace/name", text)
		}
	}
	if refusal := unknownKey(annotations); refusal != nil {
		return r, refusal
	}
	if text, said := annotations[v1alpha1.AnnotationProducerInject]; said && !strings.EqualFold(strings.TrimSpace(text), "true") {
		return r, refuse(ReasonAnnotationInvalid, annotationField(v1alpha1.AnnotationProducerInject),
			"%.100q is not known; write \"false\" to leave the pod alone, or remove the annotation", text)
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

// domain is the prefix of all annotations of ours. Nobody else has keys there, so a key that is unknown was misspelt, and the pod
// would start without what was asked for.
const domain = "kafka.mooring.dev/"

// knownKeys are the annotations that a pod, a template or a workload may have.
var knownKeys = []string{
	v1alpha1.AnnotationProducerProfile, v1alpha1.AnnotationProducerContainers, v1alpha1.AnnotationProducerShim, v1alpha1.AnnotationProducerInject,
	v1alpha1.AnnotationProducerStatus, v1alpha1.AnnotationContract, v1alpha1.AnnotationContractTouched, v1alpha1.AnnotationProducerCopied, v1alpha1.AnnotationRestartedFor,
	v1alpha1.AnnotationOrphan, // of a KafkaTopic, and kustomize gives all objects the same ones
}

// isUnknown says whether a key is in our domain, and none that there is.
func isUnknown(key string) bool {
	return strings.HasPrefix(key, domain) && !slices.Contains(knownKeys, key)
}

func unknownKey(annotations map[string]string) *Refusal {
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if isUnknown(key) {
			return refuse(ReasonAnnotationInvalid, annotationField(key), "there is no such annotation%s; correct its key, or remove it", didYouMean(key, requestKeys))
		}
	}
	return nil
}

func annotationField(key string) string { return "metadata.annotations[" + key + "]" }

// didYouMean is ", did you mean NAME?" or "".
func didYouMean(name string, known []string) string {
	if near := producer.Nearest(name, known); near != "" {
		return ", did you mean " + near + "?"
	}
	return ""
}

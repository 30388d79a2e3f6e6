package inject

import (
	"encoding/json"
	"maps"
	"slices"

	"mooring.dev/mooring/api/v1alpha1"
)

// requestKeys are the annotations that ask for something.
var requestKeys = []string{
	v1alpha1.AnnotationProducerProfile, v1alpha1.AnnotationProducerContainers, v1alpha1.AnnotationProducerShim, v1alpha1.AnnotationProducerInject,
}

// askedBy are the keys that CopyToTemplate looks at. A misspelt one is copied too, so that the pods are refused with a sentence
// about it, and do not start without what was asked for.
func askedBy(workload, copied map[string]string) []string {
	keys := slices.Clone(requestKeys)
	for _, annotations := range []map[string]string{workload, copied} {
		for key := range annotations {
			if isUnknown(key) && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// CopyToTemplate brings what the annotations of a workload ask for to those of its pod template, and takes back what it
// brought and is no longer asked for. What somebody wrote into the template himself stays, and wins. It returns the
// template's annotations, a new map, and whether they differ.
func CopyToTemplate(workload, template map[string]string) (map[string]string, bool) {
	var copied map[string]string
	if text := template[v1alpha1.AnnotationProducerCopied]; json.Unmarshal([]byte(text), &copied) != nil {
		copied = nil // somebody wrote nonsense: then nothing in the template is known to be ours
	}
	out, now := maps.Clone(template), make(map[string]string)
	if out == nil {
		out = make(map[string]string)
	}
	delete(out, v1alpha1.AnnotationProducerCopied)
	for _, key := range askedBy(workload, copied) {
		had, there := template[key]
		brought, isCopy := copied[key]
		if there && (!isCopy || brought != had) {
			continue // the template's own
		}
		delete(out, key)
		if value, asked := workload[key]; asked {
			out[key], now[key] = value, value
		}
	}
	if len(now) > 0 {
		text, err := json.Marshal(now)
		if err != nil {
			return template, false
		}
		out[v1alpha1.AnnotationProducerCopied] = string(text)
	}
	return out, !maps.Equal(out, template)
}

// TemplatePath is where the pod template is in a workload of a kind; nil for other kinds.
func TemplatePath(kind string) []string {
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet":
		return []string{"spec", "template"}
	case "CronJob":
		return []string{"spec", "jobTemplate", "spec", "template"}
	}
	return nil
}

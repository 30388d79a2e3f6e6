package inject

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// Strip takes back what Mutate gave: the pod is as it was before, with whatever others have done to it since. A pod without
// the status annotation comes back as it is. The status is what the pod had; a status that cannot be read is an error, and
// the pod is left alone, because nobody can tell what in it is ours.
func Strip(pod *corev1.Pod) (*corev1.Pod, Status, error) {
	status, was, err := StatusOf(pod.Annotations)
	out := pod.DeepCopy()
	if err != nil || !was {
		return out, Status{}, err
	}
	maps.DeleteFunc(out.Annotations, func(key, _ string) bool { return isOurs(key) })
	if len(out.Annotations) == 0 {
		out.Annotations = nil
	}
	if status.Added == nil {
		return out, status, nil
	}
	added := status.Added
	out.Spec.Volumes = without(out.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == VolumeFiles || v.Name == VolumeCredentials })
	out.Spec.InitContainers = without(out.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == ContainerShim })
	eachContainer(out, func(c *corev1.Container) {
		if names, injected := added.Env[c.Name]; injected {
			stripContainer(c, names, added)
		}
	})
	if g := added.Grace; g != nil && out.Spec.TerminationGracePeriodSeconds != nil && *out.Spec.TerminationGracePeriodSeconds == g.Now {
		out.Spec.TerminationGracePeriodSeconds = g.Was
	}
	return out, status, nil
}

// isOurs says whether an annotation is one that Mooring writes on a pod.
func isOurs(key string) bool {
	switch key {
	case v1alpha1.AnnotationContract, v1alpha1.AnnotationContractTouched, v1alpha1.AnnotationProducerStatus:
		return true
	}
	return strings.HasPrefix(key, AnnotationFilePrefix)
}

func stripContainer(c *corev1.Container, names []string, added *Added) {
	c.VolumeMounts = without(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == VolumeFiles || m.Name == VolumeCredentials })
	for _, name := range names {
		// The first of a name is ours; another one came later, and is somebody's own.
		if i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name }); i >= 0 {
			c.Env = slices.Delete(c.Env, i, i+1)
		}
	}
	for _, m := range added.Merged {
		if m.Container != c.Name {
			continue
		}
		if i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == m.Name && e.ValueFrom == nil && e.Value == m.Now }); i >= 0 {
			c.Env[i].Value = m.Was
		}
	}
	// Backwards: each index is of the list without those that were taken out before it.
	for _, r := range slices.Backward(added.Replaced) {
		if r.Container == c.Name {
			at := min(max(r.Index, 0), len(c.Env))
			c.Env = slices.Insert(c.Env, at, *r.Env.DeepCopy())
		}
	}
	if len(c.Env) == 0 {
		c.Env = nil
	}
}

// without is a list without some items; an empty list is nil, as the API server writes it.
func without[T any](list []T, drop func(T) bool) []T {
	list = slices.DeleteFunc(list, drop)
	if len(list) == 0 {
		return nil
	}
	return list
}

package inject

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// checkConfig refuses a profile that breaks a rule: no client would keep its guarantee, or start with it.
func checkConfig(b Binding) *Refusal {
	if !b.Config.Known {
		return refuse(ReasonClusterNotFound, "", "ProducerProfile %s: spec.clusterRef: there is no KafkaCluster %s; create it, or correct the name", b.profile(), b.Config.Cluster)
	}
	for _, f := range producer.Validate(b.Config) {
		if f.Severity == producer.Error {
			return refuse(ReasonProfileInvalid, "", "ProducerProfile %s: %s: %s", b.profile(), f.Field, f.Message)
		}
	}
	return nil
}

// checkPod refuses a pod that cannot be given what it asks for.
func checkPod(pod *corev1.Pod) *Refusal {
	if _, mirror := pod.Annotations[annotationMirror]; mirror {
		return refuse(ReasonMirrorPod, annotationField(annotationMirror), "a static pod is changed in its node's manifest only; remove the annotation %s there", v1alpha1.AnnotationProducerProfile)
	}
	if pod.Spec.OS != nil && pod.Spec.OS.Name == corev1.Windows || pod.Spec.NodeSelector[corev1.LabelOSStable] == string(corev1.Windows) {
		return refuse(ReasonWindows, "spec.os.name", "the shim and the paths of the files are for Linux; annotate the pod %s: \"false\", and configure this producer by hand", v1alpha1.AnnotationProducerInject)
	}
	for _, v := range pod.Spec.Volumes {
		if v.Name == VolumeFiles || v.Name == VolumeCredentials {
			return refuse(ReasonNameTaken, "spec.volumes", "the pod has a volume of its own named %s, which is Mooring's name; rename it", v.Name)
		}
	}
	var refusal *Refusal
	eachContainer(pod, func(c *corev1.Container) {
		if c.Name == ContainerShim && refusal == nil {
			refusal = refuse(ReasonNameTaken, "spec.containers", "the pod has a container of its own named %s, which is Mooring's name; rename it", c.Name)
		}
	})
	return refusal
}

// selectContainers are the containers to inject: those named, or all. Containers of which the name is wrong are a refusal,
// because a typing error must not leave a producer without its contract.
func selectContainers(pod *corev1.Pod, named []string) ([]string, *Refusal) {
	var all []string
	eachContainer(pod, func(c *corev1.Container) { all = append(all, c.Name) })
	if len(named) == 0 {
		return all, nil
	}
	field := annotationField(v1alpha1.AnnotationProducerContainers)
	for _, name := range named {
		if slices.Contains(all, name) {
			continue
		}
		if slices.ContainsFunc(pod.Spec.EphemeralContainers, func(c corev1.EphemeralContainer) bool { return c.Name == name }) {
			return nil, refuse(ReasonContainerUnknown, field, "%s is an ephemeral container, which is for debugging and takes no injection; remove it from the list", name)
		}
		return nil, refuse(ReasonContainerUnknown, field, "the pod has no container %.100q%s; it has %s", name, didYouMean(name, all), strings.Join(all, ", "))
	}
	return slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(named, name) }), nil
}

// checkMounts refuses a container that has something of its own where our files go.
func checkMounts(c *corev1.Container, r rendering) *Refusal {
	for _, ours := range mountsOf(r) {
		for _, m := range c.VolumeMounts {
			if strings.TrimRight(m.MountPath, "/") == ours.MountPath {
				return refuse(ReasonNameTaken, "", "container %s: volumeMounts: volume %s is mounted at %s, where Mooring's files go; mount it elsewhere, or leave the container out with the annotation %s",
					c.Name, m.Name, m.MountPath, v1alpha1.AnnotationProducerContainers)
			}
		}
	}
	return nil
}

// checkSize refuses annotations that the API server would.
func checkSize(annotations map[string]string) *Refusal {
	total := 0
	for key, value := range annotations {
		total += len(key) + len(value)
	}
	if total <= maxAnnotationBytes {
		return nil
	}
	return refuse(ReasonTooLarge, "metadata.annotations", "with the contract and the rendered files they would have %d bytes, and an object may have %d; "+
		"shorten spec.topics.names of the profile (prefixes say more with less), or name fewer spec.injection.formats", total, maxAnnotationBytes)
}

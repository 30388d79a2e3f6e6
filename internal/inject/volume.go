package inject

import (
	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// volumesOf are the volumes of a pod: the annotations as files, and the Secret. The directory is mounted as a whole: a mount
// of one file (subPath) would never change again.
func volumesOf(b Binding, r rendering) []corev1.Volume {
	item := func(annotation, file string) corev1.DownwardAPIVolumeFile {
		return corev1.DownwardAPIVolumeFile{Path: file, FieldRef: &corev1.ObjectFieldSelector{
			APIVersion: "v1", FieldPath: "metadata.annotations['" + annotation + "']"}}
	}
	items := []corev1.DownwardAPIVolumeFile{item(v1alpha1.AnnotationContract, FileContract)}
	for _, f := range r.files {
		items = append(items, item(annotationOf(f.Name), f.Name))
	}
	volumes := []corev1.Volume{{Name: VolumeFiles, VolumeSource: corev1.VolumeSource{
		DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: items, DefaultMode: new(corev1.DownwardAPIVolumeSourceDefaultMode)}}}}
	if name := b.Config.Security.SecretName; name != "" && (r.credentials || r.shim != nil) {
		volumes = append(volumes, corev1.Volume{Name: VolumeCredentials, VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: name, DefaultMode: new(corev1.SecretVolumeSourceDefaultMode)}}})
	}
	return volumes
}

// mountsOf are the mounts of a selected container.
func mountsOf(r rendering) []corev1.VolumeMount {
	mounts := []corev1.VolumeMount{{Name: VolumeFiles, MountPath: producer.DirFiles, ReadOnly: true}}
	if r.credentials {
		mounts = append(mounts, corev1.VolumeMount{Name: VolumeCredentials, MountPath: producer.DirCredentials, ReadOnly: true})
	}
	return mounts
}

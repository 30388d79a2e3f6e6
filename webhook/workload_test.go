package webhook

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/controllers"
)

func annotatorOn(t *testing.T) *crwebhook.Admission {
	t.Helper()
	return &crwebhook.Admission{Handler: &workloadAnnotator{source: controllers.ContractSource{Reader: cached(t, profileNamed("reliable"))}}}
}

func TestAnAnnotationOnADeploymentReachesItsTemplate(t *testing.T) {
	d := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: "checkout", Annotations: map[string]string{v1alpha1.AnnotationProducerProfile: "relaible"}},
		Spec:       appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}},
	}
	got := verdict(t, post(t, inNamespace(annotatorOn(t), "shop"), d).Body.Bytes())
	if !got.Allowed || !strings.Contains(string(got.Patch), v1alpha1.AnnotationProducerCopied) {
		t.Errorf("allowed %t, patch %s", got.Allowed, got.Patch)
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "did you mean reliable?") {
		t.Errorf("nobody is told that its pods would be refused: %q", got.Warnings)
	}
}

// A CronJob's Job has a template with the copied annotations, and none of its own: that must not take them back.
func TestAJobOfACronJobKeepsWhatItsTemplateHas(t *testing.T) {
	j := &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: metav1.ObjectMeta{Name: "nightly-1", OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", UID: "1", Controller: new(true)}}},
	}
	j.Spec.Template.Annotations = map[string]string{
		v1alpha1.AnnotationProducerProfile: "reliable", v1alpha1.AnnotationProducerCopied: `{"` + v1alpha1.AnnotationProducerProfile + `":"reliable"}`,
	}
	got := verdict(t, post(t, inNamespace(annotatorOn(t), "shop"), j).Body.Bytes())
	if !got.Allowed || len(got.Patch) > 2 {
		t.Errorf("allowed %t, patch %s", got.Allowed, got.Patch)
	}
}

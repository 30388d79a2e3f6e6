//go:build fleet

package fleet

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

// namespaceNamed makes a namespace of a spec's own.
func freshNamespace(ctx context.Context, prefix string) string {
	GinkgoHelper()
	name := fresh(prefix)
	expectCreated(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	return name
}

// profileIn makes a profile with a shim, whose drain fits the default grace period.
func profileIn(ctx context.Context, namespace, name string, injection *v1alpha1.ProducerInjection) *v1alpha1.ProducerProfile {
	GinkgoHelper()
	p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	p.Spec.Shim = &v1alpha1.ProducerShim{Listeners: v1alpha1.ShimKafka, Drain: &metav1.Duration{Duration: 20 * time.Second}}
	p.Spec.Injection = injection
	expectCreated(ctx, p)
	return p
}

// deployment asks for a profile by an annotation on itself.
func deployment(namespace, name string, count int32, profile string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{v1alpha1.AnnotationProducerProfile: profile}},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(count), Selector: &metav1.LabelSelector{MatchLabels: labels},
			ProgressDeadlineSeconds: new(int32(3)),
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}}},
		},
	}
}

// carriesContract says whether a pod has all that a started pod needs: the contract, and the shim in front.
func carriesContract(pod *corev1.Pod) bool {
	status, injected, err := inject.StatusOf(pod.Annotations)
	return err == nil && injected && status.Verdict == inject.Injected && pod.Annotations[v1alpha1.AnnotationContract] != "" &&
		len(pod.Spec.InitContainers) > 0 && pod.Spec.InitContainers[0].Name == inject.ContainerShim
}

// eachNew hands over every pod of a namespace as it was when it was created, and then as it changes, until the context ends.
func eachNew(ctx context.Context, namespace string, created, changed func(*corev1.Pod)) error {
	w, err := kube.Watch(ctx, &corev1.PodList{}, client.InNamespace(namespace))
	if err != nil {
		return err
	}
	go func() {
		defer w.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case e, open := <-w.ResultChan():
				pod, isPod := e.Object.(*corev1.Pod)
				switch {
				case !open:
					return
				case !isPod:
				case e.Type == "ADDED":
					created(pod)
				case e.Type == "MODIFIED":
					changed(pod)
				}
			}
		}
	}()
	return nil
}

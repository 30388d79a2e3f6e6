//go:build fleet

package fleet

import (
	"context"
	"errors"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

var errNotInjected = errors.New("the webhooks are not called yet")

var _ = DescribeTable("a refusal is an Event on the ReplicaSet", func(ctx SpecContext, profile, containers, words string) {
	namespace := freshNamespace(ctx, "refused")
	profileIn(ctx, namespace, "reliable", nil)
	expectCaches(ctx, namespace, "reliable")
	d := deployment(namespace, "checkout", 3, profile)
	if containers != "" {
		d.Annotations[v1alpha1.AnnotationProducerContainers] = containers
	}
	expectCreated(ctx, d)
	var set appsv1.ReplicaSetList
	Eventually(ctx, func(g Gomega) {
		g.Expect(kube.List(ctx, &set, client.InNamespace(namespace))).To(Succeed())
		g.Expect(set.Items).To(HaveLen(1))
		// Ours, and the ReplicaSet controller's own, which holds what the API server answered it.
		g.Expect(notesAbout(ctx, g, &set.Items[0], "InjectionRefused")).To(ContainElement(ContainSubstring(words)))
		g.Expect(notesAbout(ctx, g, &set.Items[0], "FailedCreate")).To(ContainElement(And(ContainSubstring("denied the request"), ContainSubstring(words))))
	}).Should(Succeed())
	var pods corev1.PodList
	Expect(kube.List(ctx, &pods, client.InNamespace(namespace))).To(Succeed())
	Expect(pods.Items).To(BeEmpty())
},
	Entry("for a profile that does not exist, with the one that was meant", "relaible", "", "did you mean reliable?", NodeTimeout(time.Minute)),
	Entry("for a container that does not exist, with those that do", "reliable", "apps", `the pod has no container "apps"`, NodeTimeout(time.Minute)),
)

// notesAbout are what Events of a reason say about an object.
func notesAbout(ctx context.Context, g Gomega, o client.Object, reason string) []string {
	var list eventsv1.EventList
	g.Expect(kube.List(ctx, &list, client.InNamespace(o.GetNamespace()))).To(Succeed())
	var notes []string
	for _, e := range list.Items {
		if e.Reason == reason && e.Regarding.UID == o.GetUID() && e.Type == corev1.EventTypeWarning {
			notes = append(notes, strings.TrimSpace(e.Note))
		}
	}
	return notes
}

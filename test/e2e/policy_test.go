//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/contract"
)

const (
	// patchLimit is ours: from a profile's change, which the API server has taken, to the patch of a running pod's contract. It
	// mostly is a second, which is printed; on two cores that do something else too it is more.
	patchLimit = 10 * time.Second
	// projectLimit is the kubelet's: from that patch to the file in the pod. The patch makes it sync the pod, and write the file,
	// at once; but not if it comes while the kubelet walks through its list of pods, which it has taken before (its
	// desiredStateOfWorldPopulator), or while it writes the pod's volume (the end of that write marks the pod as done). Then it
	// is when the operator touches the pod again, three seconds later; or, if that comes at such a moment too, the next sync: after
	// syncFrequency, a minute, and up to half as much again of jitter. The shim looks every second.
	projectLimit = 100 * time.Second
)

var _ = Describe("A profile's change", func() {
	It("reaches running pods without a restart", func(ctx SpecContext) {
		// A hundred start as well on two cores, in a minute and a half. But then containerd, the kubelet and what watches over each
		// container take a core although nothing happens, and the brokers another: the figures would be of that.
		const replicas, rounds = 50, 2
		namespace := node.NewNamespace(ctx)
		profile := newProfile(ctx, namespace)
		d := Deployment(namespace, "fleet", Container("app", pauseImage()))
		d.Annotations, d.Spec.Replicas = policy, new(int32(replicas))
		began := time.Now()
		Eventually(ctx, func() error { return node.Create(ctx, d.DeepCopy()) }).Should(Succeed())
		node.waitAvailable(ctx, d, 4*time.Minute)
		phase("%d pods with a shim are available after %s", replicas, time.Since(began).Round(time.Second))
		before := node.Pods(ctx, namespace, "fleet")
		Expect(before).To(HaveLen(replicas))
		// A running fleet is asked about, and not two cores on which fifty pods are still being started.
		allCurrent := func(g Gomega) {
			g.Expect(node.Get(ctx, client.ObjectKeyFromObject(profile), profile)).To(Succeed())
			g.Expect(profile.Status.Pods).To(HaveValue(Equal(v1alpha1.PodCounts{Bound: replicas, Current: replicas})))
		}
		Eventually(ctx, allCurrent).Should(Succeed())

		var patched, projected []time.Duration
		for round := range rounds {
			mode := []v1alpha1.ShimMode{v1alpha1.ShimAudit, v1alpha1.ShimReject, v1alpha1.ShimUpgrade}[round%3]
			p, s := changeReaches(ctx, before, profile, mode)
			patched, projected = append(patched, p...), append(projected, s...)
		}
		phase("%d changes on %d pods, from the profile's patch to each pod's contract: %s (limit %s)", rounds, replicas, quantiles(patched), patchLimit)
		later := func(than time.Duration) (n int) {
			for _, d := range projected {
				if d > than {
					n++
				}
			}
			return n
		}
		phase("and from there to the shim's own /metrics, which is the kubelet's part: %s; %d of %d when they were touched again, %d at the kubelet's next sync",
			quantiles(projected), later(3*time.Second)-later(30*time.Second), len(projected), later(30*time.Second))
		Expect(quantile(patched, 0.5)).To(BeNumerically("<", 5*time.Second))
		Expect(quantile(projected, 0.5)).To(BeNumerically("<", 5*time.Second))

		By("being the same containers, and counted in the profile's status")
		now := make(map[string]corev1.Pod, replicas)
		for _, pod := range node.Pods(ctx, namespace, "fleet") {
			now[pod.Name] = pod
		}
		for _, pod := range before {
			Expect(now[pod.Name].UID).To(Equal(pod.UID))
			for _, status := range append(now[pod.Name].Status.InitContainerStatuses, now[pod.Name].Status.ContainerStatuses...) {
				Expect(status.RestartCount).To(BeZero(), status.Name)
				Expect(status.ContainerID).To(Equal(containerStatus(pod, status.Name).ContainerID))
			}
		}
		Eventually(ctx, allCurrent).Should(Succeed())

		// So many ends at once would slow the next spec down, and its figures.
		Expect(node.Delete(ctx, d)).To(Succeed())
		Eventually(ctx, func() []corev1.Pod { return node.allPods(ctx, namespace) }).WithTimeout(3 * time.Minute).Should(BeEmpty())
	}, SpecTimeout(12*time.Minute))
})

// changeReaches changes a profile's mode. It returns how long it took until each pod's contract was patched, and from there until
// its shim said so.
func changeReaches(ctx context.Context, pods []corev1.Pod, profile *v1alpha1.ProducerProfile, mode v1alpha1.ShimMode) (patched, projected []time.Duration) {
	GinkgoHelper()
	patches := watchContracts(ctx, pods)
	defer patches.stop()
	patch := client.RawPatch("application/merge-patch+json", []byte(fmt.Sprintf(`{"spec":{"shim":{"mode":%q}}}`, mode)))
	began := time.Now()
	Expect(node.Patch(ctx, profile, patch)).To(Succeed())
	taken := time.Now()
	phase("the API server took the profile's change in %s", taken.Sub(began).Round(time.Millisecond))
	texts := []string{fmt.Sprintf(`mode="%s",`, mode), fmt.Sprintf("} %d\n", profile.Generation)}

	var mu sync.Mutex
	var group sync.WaitGroup
	for _, pod := range pods {
		group.Go(func() {
			defer GinkgoRecover()
			at := patches.wait(ctx, pod, profile.Generation, taken.Add(patchLimit))
			Eventually(ctx, shimSays).WithArguments(ctx, pod).WithPolling(100*time.Millisecond).WithTimeout(projectLimit).
				Should(And(ContainSubstring(texts[0]), HaveSuffix(texts[1])), "pod %s: the contract was patched %s after the profile, so this is late at the kubelet or the shim", pod.Name, at.Sub(began))
			mu.Lock()
			defer mu.Unlock()
			patched, projected = append(patched, at.Sub(began)), append(projected, time.Since(at))
		})
	}
	group.Wait()
	Expect(projected).To(HaveLen(len(pods)))
	return patched, projected
}

// shimSays is the line about the contract in effect in the metrics of a pod's shim.
func shimSays(ctx context.Context, pod corev1.Pod) (string, error) {
	metrics, err := shimGet(ctx, pod, "/metrics")
	_, info, _ := strings.Cut(metrics, "\nmooring_shim_contract_info{")
	return info[:strings.IndexByte(info, '\n')+1], err
}

// contracts knows when the contract of each pod came to which revision.
type contracts struct {
	stop    func()
	mu      sync.Mutex
	changed chan struct{} // closed, and another made, at each change
	at      map[string]map[int64]time.Time
}

// watchContracts looks on from now on. An API server ends a watch that is read too slowly for what happens, which fifty pods that
// change at once can be on a busy machine: then it lists them, and goes on from there.
func watchContracts(ctx context.Context, pods []corev1.Pod) *contracts {
	GinkgoHelper()
	ctx, stop := context.WithCancel(ctx)
	c := &contracts{stop: stop, changed: make(chan struct{}), at: make(map[string]map[int64]time.Time)}
	those := []client.ListOption{client.InNamespace(pods[0].Namespace), client.MatchingLabels(pods[0].Labels)}
	look := func() (watch.Interface, error) {
		var now corev1.PodList
		if err := node.List(ctx, &now, those...); err != nil {
			return nil, err
		}
		for i := range now.Items {
			c.see(&now.Items[i])
		}
		from := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: now.ResourceVersion}}
		return node.Watch(ctx, &corev1.PodList{}, append(those, from)...)
	}
	w, err := look()
	Expect(err).NotTo(HaveOccurred())
	go func() {
		for ctx.Err() == nil {
			if w == nil {
				if w, err = look(); err != nil {
					w = nil
					<-time.After(100 * time.Millisecond) // the API server has no time
					continue
				}
			}
			for event := range w.ResultChan() {
				if pod, ok := event.Object.(*corev1.Pod); ok {
					c.see(pod)
				}
			}
			w = nil
		}
	}()
	return c
}

// see a pod as it is now.
func (c *contracts) see(pod *corev1.Pod) {
	if given, err := contract.Decode([]byte(pod.Annotations[v1alpha1.AnnotationContract])); err == nil {
		c.note(pod.Name, given.Profile.Revision, time.Now())
	}
}

func (c *contracts) note(pod string, revision int64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at[pod] == nil {
		c.at[pod] = make(map[int64]time.Time)
	}
	if _, known := c.at[pod][revision]; !known {
		c.at[pod][revision] = now
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// wait until a pod's contract came to a revision, which has a deadline, and say when that was.
func (c *contracts) wait(ctx context.Context, pod corev1.Pod, revision int64, deadline time.Time) time.Time {
	GinkgoHelper()
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for {
		c.mu.Lock()
		at, known := c.at[pod.Name][revision]
		changed := c.changed
		c.mu.Unlock()
		if known {
			return at
		}
		select {
		case <-changed:
		case <-ctx.Done():
			Fail(fmt.Sprintf("the operator did not bring the contract of pod %s to revision %d within %s of the profile's change; %d pods came to it",
				pod.Name, revision, patchLimit, c.known(revision)))
		}
	}
}

// known is how many pods came to a revision.
func (c *contracts) known(revision int64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := 0
	for _, revisions := range c.at {
		if _, known := revisions[revision]; known {
			count++
		}
	}
	return count
}

// quantiles sorts durations and says how they spread.
func quantiles(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("p50 %s, p99 %s, slowest %s", quantile(all, 0.5), quantile(all, 0.99), quantile(all, 1))
}

// quantile of sorted durations.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1)+0.5)].Round(time.Millisecond)
}

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
	"mooring.dev/mooring/internal/shim/health"
)

// producerImage is the app of test/e2e/apps/producer.
var producerImage = sync.OnceValue(func() string {
	return node.Program(suiteContext(), "producer", root, "./test/e2e/apps/producer")
})

// probeImage is a server that does nothing of note.
var probeImage = sync.OnceValue(func() string {
	return node.Program(suiteContext(), "probe", filepath.Join(root, "hack", "image"), "./probe")
})

// pauseImage is the smallest app: it waits for its end.
var pauseImage = sync.OnceValue(func() string {
	return node.Program(suiteContext(), "pause", filepath.Join(root, "hack", "image"), "./pause")
})

// policy is the annotation that asks for the profile of newProfile.
var policy = map[string]string{v1alpha1.AnnotationProducerProfile: "reliable"}

// newProfile makes the profile "reliable" with the shim's Kafka listener, of a KafkaCluster of the spec's own, and waits until it
// is ready.
func newProfile(ctx context.Context, namespace string, change ...func(*v1alpha1.ProducerProfile)) *v1alpha1.ProducerProfile {
	GinkgoHelper()
	p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "reliable"}}
	p.Spec.ClusterRef.Name = namespace
	p.Spec.Shim = &v1alpha1.ProducerShim{Listeners: v1alpha1.ShimKafka}
	for _, c := range change {
		c(p)
	}
	if p.Spec.Credentials == nil {
		kafkaCluster(ctx, p.Spec.ClusterRef.Name)
	}
	Expect(node.Create(ctx, p)).To(Succeed())
	Eventually(ctx, func(g Gomega) {
		g.Expect(node.Get(ctx, client.ObjectKeyFromObject(p), p)).To(Succeed())
		g.Expect(meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), "%+v", p.Status.Conditions)
	}).Should(Succeed())
	return p
}

// newTopic makes a topic that survives one broker, and removes it when the spec is over.
func newTopic(ctx context.Context, name string) string {
	GinkgoHelper()
	_, err := brokers.Admin.CreateTopic(ctx, 3, 3, map[string]*string{"min.insync.replicas": new("2")}, name)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) {
		_, err := brokers.Admin.DeleteTopic(ctx, name)
		Expect(err).NotTo(HaveOccurred())
	}, NodeTimeout(time.Minute))
	return name
}

// producing is a pod's container of the producer app. What it knows of Kafka is how to get there without Mooring.
func producing(topic string, args ...string) corev1.Container {
	c := Container("app", producerImage(), append([]string{"--topic", topic}, args...)...)
	// Without a request it would starve beside the brokers, which are on the same machine.
	c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}
	c.Env = []corev1.EnvVar{{Name: "KAFKA_BOOTSTRAP_SERVERS", Value: strings.Join(brokers.Seeds, ",")}}
	return c
}

// shimGet asks the shim of a pod.
func shimGet(ctx context.Context, pod corev1.Pod, path string) (string, error) {
	port := int32(0)
	for _, c := range pod.Spec.InitContainers {
		if c.Name == inject.ContainerShim {
			port = c.Ports[0].ContainerPort
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s:%d%s", pod.Status.PodIP, port, path), nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

// audited is the audit view of a pod's shim.
func audited(ctx context.Context, pod corev1.Pod) (health.View, error) {
	var view health.View
	text, err := shimGet(ctx, pod, "/audit")
	if err == nil {
		err = json.Unmarshal([]byte(text), &view)
	}
	return view, err
}

// acknowledged is how many records the brokers have acknowledged to a pod's shim, in the shim's present life.
func acknowledged(ctx context.Context, pod corev1.Pod) (int64, error) {
	view, err := audited(ctx, pod)
	var records int64
	for _, c := range view.Clients {
		records += c.Done.Acknowledged
	}
	return records, err
}

// progress waits until the brokers have acknowledged that many records more.
func progress(ctx context.Context, pod corev1.Pod, records int64) {
	GinkgoHelper()
	var from int64
	Eventually(ctx, func() (err error) { from, err = acknowledged(ctx, pod); return err }).Should(Succeed())
	Eventually(ctx, acknowledged).WithArguments(ctx, pod).Should(BeNumerically(">=", from+records))
}

// containerStatus is one container's, init containers included.
func containerStatus(pod corev1.Pod, name string) corev1.ContainerStatus {
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if status.Name == name {
			return status
		}
	}
	return corev1.ContainerStatus{}
}

// outcome is what an app's last line says of its run.
type outcome struct {
	ID                         string
	Sent, Acknowledged, Failed int64
	// Why is the first failure.
	Why string
}

var outcomeLine = regexp.MustCompile(`id=(\S+) sent=(\d+) acknowledged=(\d+) failed=(\d+)(?: first failure: (.*))?`)

// ended waits until the app and the shim of a pod have ended, and returns what they left. The shim ends after the app, and well.
func ended(ctx context.Context, pod corev1.Pod) (app outcome, shim string) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		g.Expect(node.Get(ctx, client.ObjectKeyFromObject(&pod), &pod)).To(Succeed())
		for _, name := range []string{"app", inject.ContainerShim} {
			g.Expect(containerStatus(pod, name).State.Terminated).NotTo(BeNil(), name)
		}
	}).Should(Succeed())
	first, last := containerStatus(pod, "app").State.Terminated, containerStatus(pod, inject.ContainerShim).State.Terminated
	Expect(first.ExitCode).To(BeZero(), "%+v", first)
	Expect(last.ExitCode).To(BeZero(), "%+v", last)
	Expect(last.FinishedAt.Time).NotTo(BeTemporally("<", first.FinishedAt.Time))
	return parseOutcome(first.Message), last.Message
}

func parseOutcome(text string) outcome {
	GinkgoHelper()
	parts := outcomeLine.FindStringSubmatch(text)
	Expect(parts).NotTo(BeNil(), "an app's last words are %q", text)
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		Expect(err).NotTo(HaveOccurred())
		return n
	}
	return outcome{parts[1], number(parts[2]), number(parts[3]), number(parts[4]), parts[5]}
}

// drained deletes a pod under load and returns what its containers left.
func drained(ctx context.Context, pod corev1.Pod) (outcome, string) {
	GinkgoHelper()
	defer keep(ctx, pod)()
	Expect(node.Delete(ctx, &pod)).To(Succeed())
	return ended(ctx, pod)
}

// keep has a finalizer keep a pod and its status, whatever ends it, until the returned function is called.
func keep(ctx context.Context, pod corev1.Pod) (release func()) {
	GinkgoHelper()
	finalizers := func(value string) client.Patch {
		return client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":`+value+`}}`))
	}
	Expect(node.Patch(ctx, pod.DeepCopy(), finalizers(`["e2e.mooring.dev/keep"]`))).To(Succeed())
	return func() {
		Expect(client.IgnoreNotFound(node.Patch(suiteContext(), pod.DeepCopy(), finalizers("null")))).To(Succeed())
	}
}

// drain is what a shim's last message says of its end.
type drain struct{ Acknowledged, Flushed, Lost int64 }

func parseDrain(text string) drain {
	GinkgoHelper()
	var d drain
	_, err := fmt.Sscanf(text, "acknowledged=%d flushed=%d lost=%d", &d.Acknowledged, &d.Flushed, &d.Lost)
	Expect(err).NotTo(HaveOccurred(), "a shim's last words are %q", text)
	return d
}

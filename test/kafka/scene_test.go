//go:build kafka

package kafka

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

// sceneLabel is on every object of a scene.
const sceneLabel = "test.mooring.dev/scene"

var scenes atomic.Int32

// Scene is what one spec has of its own: a name that all its objects and topics begin with, and their removal at its end.
type Scene struct {
	Name    string
	brokers *Brokers
}

// NewScene begins a spec on the brokers of the suite.
func NewScene() *Scene { return NewSceneOn(brokers) }

// NewSceneOn begins a spec on other brokers.
func NewSceneOn(b *Brokers) *Scene {
	s := &Scene{Name: fmt.Sprintf("t%s-%d", runID, scenes.Add(1)), brokers: b}
	DeferCleanup(s.clear, NodeTimeout(3*time.Minute))
	return s
}

// NewSceneWithFaults begins a spec that hurts the brokers. They are whole again at its end, before its objects go, so that
// one that fails does not take the next ones with it.
func NewSceneWithFaults() *Scene {
	s := NewScene()
	DeferCleanup(s.brokers.Restore, NodeTimeout(4*time.Minute))
	return s
}

// Named is a name of this scene.
func (s *Scene) Named(word string) string { return s.Name + "-" + word }

func (s *Scene) meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{sceneLabel: s.Name}}
}

// Cluster is a KafkaCluster on the brokers' plaintext listener, looked at every 2 s; change alters it before it is created.
func (s *Scene) Cluster(ctx context.Context, change ...func(*v1alpha1.KafkaCluster)) *v1alpha1.KafkaCluster {
	k := &v1alpha1.KafkaCluster{ObjectMeta: s.meta("", s.Name)}
	k.Spec.BootstrapServers = s.brokers.seeds
	k.Spec.Drift.Interval = &metav1.Duration{Duration: 2 * time.Second}
	for _, c := range change {
		c(k)
	}
	Expect(kube.Create(ctx, k)).To(Succeed())
	return k
}

// Secret is a Secret in the operator's namespace.
func (s *Scene) Secret(ctx context.Context, word string, data map[string][]byte) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: s.meta(operatorNamespace, s.Named(word)), Data: data}
	Expect(kube.Create(ctx, secret)).To(Succeed())
	return secret
}

// Topic is a KafkaTopic with 2 partitions, as many replicas as the specs use, and whatever change makes of it. It is not
// created yet.
func (s *Scene) Topic(ctx context.Context, word string, change ...func(*v1alpha1.KafkaTopicSpec)) *v1alpha1.KafkaTopic {
	t := &v1alpha1.KafkaTopic{ObjectMeta: s.meta(topicNamespace, s.Named(word))}
	t.Spec.ClusterRef.Name = s.Name
	t.Spec.Partitions = new(int32(2))
	t.Spec.ReplicationFactor = new(s.brokers.Replicas(ctx))
	for _, c := range change {
		c(&t.Spec)
	}
	return t
}

// config sets configuration keys, given as key, value, key, value.
func config(pairs ...string) func(*v1alpha1.KafkaTopicSpec) {
	return func(spec *v1alpha1.KafkaTopicSpec) {
		if spec.Config == nil {
			spec.Config = make(map[string]v1alpha1.ConfigValue)
		}
		for i := 0; i < len(pairs); i += 2 {
			spec.Config[pairs[i]] = v1alpha1.MakeConfigValue(pairs[i+1])
		}
	}
}

// clear removes the scene's objects, and its topics from the brokers. It does not ask the operator to delete a topic: what
// deletion does is for specs to say.
func (s *Scene) clear(ctx context.Context) {
	mine := client.MatchingLabels{sceneLabel: s.Name}
	var topics v1alpha1.KafkaTopicList
	Expect(kube.List(ctx, &topics, mine)).To(Succeed())
	for i := range topics.Items {
		if t := &topics.Items[i]; len(t.Finalizers) > 0 {
			Expect(client.IgnoreNotFound(annotate(ctx, t, v1alpha1.AnnotationOrphan, "true"))).To(Succeed())
		}
	}
	Expect(kube.DeleteAllOf(ctx, &v1alpha1.KafkaTopic{}, client.InNamespace(topicNamespace), mine)).To(Succeed())
	Expect(kube.DeleteAllOf(ctx, &v1alpha1.KafkaCluster{}, mine)).To(Succeed())
	Expect(kube.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(operatorNamespace), mine)).To(Succeed())
	Eventually(ctx, func(g Gomega) {
		var clusters v1alpha1.KafkaClusterList
		g.Expect(kube.List(ctx, &topics, mine)).To(Succeed())
		g.Expect(kube.List(ctx, &clusters, mine)).To(Succeed())
		g.Expect(topics.Items).To(BeEmpty(), "KafkaTopics that do not go")
		g.Expect(clusters.Items).To(BeEmpty(), "KafkaClusters that do not go")
	}).Should(Succeed())
	s.brokers.removeTopics(ctx, s.Name+"-")
}

func annotate(ctx context.Context, o client.Object, key, value string) error {
	before := o.DeepCopyObject().(client.Object)
	annotations := map[string]string{key: value}
	for k, v := range o.GetAnnotations() {
		if k != key {
			annotations[k] = v
		}
	}
	o.SetAnnotations(annotations)
	return kube.Patch(ctx, o, client.MergeFrom(before))
}

// removeTopics deletes the topics with this prefix, as far as the cluster lets us.
func (b *Brokers) removeTopics(ctx context.Context, prefix string) {
	topics, err := b.admin.ListTopics(ctx)
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, name := range topics.Names() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		_, err = b.admin.DeleteTopics(ctx, names...)
		Expect(err).NotTo(HaveOccurred())
	}
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	return text
}

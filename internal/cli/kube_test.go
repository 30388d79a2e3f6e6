package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/kafkatest"
)

// clusterAt is a KafkaCluster that is reached at the fake.
func clusterAt(c *kafkatest.Cluster, name string) *v1alpha1.KafkaCluster {
	return &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: c.ListenAddrs()},
		Status: v1alpha1.KafkaClusterStatus{ClusterID: "kfake-one"}}
}

// owner is a KafkaTopic that is there, and owns its topic.
func owner(t *testing.T, c *kafkatest.Cluster, namespace, name, topicName string, managed map[string]string) *v1alpha1.KafkaTopic {
	t.Helper()
	admin := c.Admin(t)
	o, err := admin.Observe(t.Context(), topicName, nil, kafka.Cached())
	if err != nil {
		t.Fatal(err)
	}
	kt := &v1alpha1.KafkaTopic{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: metav1.NewTime(time.Unix(1_000_000, 0))},
		Spec:       v1alpha1.KafkaTopicSpec{ClusterRef: v1alpha1.ClusterReference{Name: "default"}},
		Status:     v1alpha1.KafkaTopicStatus{TopicID: o.ID.String(), ClusterID: "kfake-one", ManagedConfig: managed},
	}
	if name != topicName {
		kt.Spec.TopicName = topicName
	}
	return kt
}

func TestPlanLive(t *testing.T) {
	c := kafkatest.Start(t)
	create(t, c, "ours", 3, 3, map[string]string{"retention.ms": "3600000", "max.message.bytes": "2000000"})
	create(t, c, "foreign", 3, 3, nil)
	create(t, c, "replaced", 3, 3, nil)
	replaced := owner(t, c, "shop", "replaced", "replaced", nil)
	replaced.Status.TopicID = "AAAAAAAAAAAAAAAAAAAAAQ"
	missing := owner(t, c, "shop", "missing", "missing", nil)
	missing.Status.TopicID = "AAAAAAAAAAAAAAAAAAAAAQ"
	objects := []client.Object{
		clusterAt(c, "default"), replaced, missing,
		owner(t, c, "shop", "ours", "ours", map[string]string{"retention.ms": "3600000", "max.message.bytes": "2000000"}),
	}
	tests := map[string]struct {
		reason   string
		manifest string
		want     string
		status   int
	}{
		"an owned topic": {
			reason:   "Its status says which keys the object has set: those that the manifest drops are reset.",
			manifest: manifestOf("ours", "config: {retention.ms: 3600000}"),
			want:     "KafkaTopic shop/ours (topic ours on default): Owned\n- reset max.message.bytes (is 2000000)\n\n1 topic: 1 to change",
			status:   2,
		},
		"a foreign topic": {
			reason:   "Review waits, and the plan says for what.",
			manifest: manifestOf("foreign", "partitions: 6"),
			want: "KafkaTopic shop/foreign (topic foreign on default): Foreign\n+ grow topic foreign from 3 to 6 partitions\n" +
				"! AdoptionReview: topic foreign exists and differs from this manifest, which would grow topic foreign from 3 to 6 partitions; change the manifest to match, or set spec.adoption to Adopt\n" +
				"# adoption is Review: none of this is carried out until it is Adopt\n\n1 topic: 1 to change, 1 with refusals",
			status: 2,
		},
		"a foreign topic that agrees": {
			reason:   "Taking it over changes nothing.",
			manifest: manifestOf("foreign", "partitions: 3"),
			want:     "1 topic: no change",
		},
		"adoption Refuse": {
			reason:   "Whose it is, is known, so it is refused.",
			manifest: manifestOf("foreign", "adoption: Refuse"),
			want:     "KafkaTopic shop/foreign (topic foreign on default): Foreign\n! AdoptionRefused: topic foreign exists and spec.adoption is Refuse; set it to Adopt or Review, or choose another spec.topicName\n\n1 topic: 1 with refusals",
			status:   2,
		},
		"another object's topic": {
			reason:   "The older object owns it.",
			manifest: manifestOf("thief", "topicName: ours"),
			want:     "KafkaTopic shop/thief (topic ours on default): Foreign\n! Conflict: KafkaTopic shop/ours is older and owns topic ours; keep one of the two\n\n1 topic: 1 with refusals",
			status:   2,
		},
		"a topic that was deleted": {
			reason:   "It is ours and gone.",
			manifest: manifestOf("missing"),
			want:     "KafkaTopic shop/missing (topic missing on default): Missing\n! TopicMissing: topic missing (topic ID AAAAAAAAAAAAAAAAAAAAAQ) was deleted",
			status:   2,
		},
		"a topic that was replaced": {
			reason:   "It has the name and another ID.",
			manifest: manifestOf("replaced"),
			want:     "KafkaTopic shop/replaced (topic replaced on default): Replaced\n! TopicReplaced: topic replaced has topic ID ",
			status:   2,
		},
		"another cluster's manifest": {
			reason:   "It is not planned, and that is said.",
			manifest: manifestOf("foreign") + manifestOf("far", "clusterRef: {name: other}"),
			want:     "# not planned: KafkaTopic shop/far is for KafkaCluster other\n1 topic: no change",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c)
			w.withKube(t, interceptor.Funcs{}, objects...)
			status := w.run(t, test.manifest, "plan", "-f", "-", "--cluster", "default")
			if got := strings.TrimSpace(w.out.String()); !strings.HasPrefix(got, test.want) || status != test.status {
				t.Errorf("%s Exit status %d, want %d\ngot  %s\nwant %s\nerrors %s", test.reason, status, test.status, got, test.want, w.err.String())
			}
		})
	}
}

// TestPlanLiveRefusesUpdates: the rules about changes are judged against the object that is there.
func TestPlanLiveRefusesUpdates(t *testing.T) {
	c := kafkatest.Start(t)
	create(t, c, "ours", 3, 3, nil)
	w := newWorld(t, c)
	w.withKube(t, interceptor.Funcs{}, clusterAt(c, "default"), owner(t, c, "shop", "ours", "ours", nil))
	status := w.run(t, manifestOf("ours", "topicName: theirs"), "plan", "-f", "-")
	want := "error: standard input:1: KafkaTopic shop/ours: spec.topicName: topicName cannot be changed"
	if status != 1 || !strings.HasPrefix(w.err.String(), want) || strings.Contains(w.out.String(), "no change") {
		t.Errorf("exit status %d, it said %s%s, want %s", status, w.err.String(), w.out.String(), want)
	}
}

// TestPlanEachCluster: without --cluster, each manifest's own KafkaCluster is asked.
func TestPlanEachCluster(t *testing.T) {
	c := kafkatest.Start(t)
	w := newWorld(t, c)
	w.withKube(t, interceptor.Funcs{}, clusterAt(c, "default"), clusterAt(c, "other"))
	status := w.run(t, manifestOf("a")+manifestOf("b", "clusterRef: {name: other}"), "plan", "-f", "-")
	if status != 2 || !strings.Contains(w.out.String(), "(topic b on other)") || !strings.Contains(w.out.String(), "2 topics: 2 to create") {
		t.Errorf("exit status %d: %s%s", status, w.out.String(), w.err.String())
	}
	if status := w.run(t, manifestOf("a")+manifestOf("b", "clusterRef: {name: third}"), "plan", "-f", "-"); status != 1 || !strings.Contains(w.err.String(), "there is no KafkaCluster third") {
		t.Errorf("exit status %d: %s", status, w.err.String())
	}
}

// TestPlanKubeTrouble: what Kubernetes does not let us see is said, and what it takes to go on.
func TestPlanKubeTrouble(t *testing.T) {
	c := kafkatest.Start(t)
	forbidden := func(what string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: what}, "", nil)
	}
	secured := clusterAt(c, "default")
	secured.Spec.SASL = &v1alpha1.KafkaClusterSASL{Mechanism: "PLAIN", CredentialsRef: v1alpha1.SecretReference{Name: "creds"}}
	another := clusterAt(c, "default")
	another.Status.ClusterID = "another"
	closed := clusterAt(c, "default")
	closed.Spec.AllowedNamespaces = &v1alpha1.NamespaceConsent{Selector: metav1.LabelSelector{MatchLabels: map[string]string{"kafka": "yes"}}}
	noList := interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		if len(opts) == 0 {
			return forbidden("kafkatopics")
		}
		return c.List(ctx, list, opts...)
	}}
	noSecrets := interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if _, is := o.(*corev1.Secret); is {
			return forbidden("secrets")
		}
		return c.Get(ctx, key, o, opts...)
	}}
	tests := map[string]struct {
		reason  string
		funcs   interceptor.Funcs
		objects []client.Object
		args    []string
		want    string
		status  int
	}{
		"no cluster-wide list":   {"The namespaces of the manifests will do.", noList, []client.Object{clusterAt(c, "default")}, nil, "note: you may not list the KafkaTopics of all namespaces", 2},
		"no KafkaCluster":        {"Named, with the way out.", interceptor.Funcs{}, nil, nil, "error: there is no KafkaCluster default; create it", 1},
		"no Secrets":             {"Told how to do without.", noSecrets, []client.Object{secured}, nil, "error: KafkaCluster default: you may not read its Secret mooring-system/creds; give the connection with --bootstrap-servers", 1},
		"a Secret that is not":   {"Told where it should be.", interceptor.Funcs{}, []client.Object{secured}, nil, "error: KafkaCluster default: spec.sasl.credentialsRef (mechanism PLAIN): there is no Secret mooring-system/creds", 1},
		"another Kafka cluster":  {"Its topics are not the ones that the status speaks of.", interceptor.Funcs{}, []client.Object{another}, nil, " answers as cluster kfake-one, and the KafkaCluster is cluster another; correct the addresses", 1},
		"a namespace not let in": {"The KafkaCluster's consent is part of the plan.", interceptor.Funcs{}, []client.Object{closed, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}}, nil, "! NamespaceNotAllowed: KafkaCluster default takes topics of namespaces labelled kafka=yes only, and namespace shop is not", 2},
		"other addresses": {"The KafkaCluster's may not be reachable from here.", interceptor.Funcs{}, []client.Object{func() client.Object {
			k := clusterAt(c, "default")
			k.Spec.BootstrapServers = []string{"nowhere:1"}
			return k
		}()}, []string{"--bootstrap-servers", servers(c)}, "1 topic: 1 to create", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c)
			w.withKube(t, test.funcs, test.objects...)
			status := w.run(t, manifestOf("orders"), append([]string{"plan", "-f", "-", "--cluster", "default"}, test.args...)...)
			if said := w.err.String() + w.out.String(); status != test.status || !strings.Contains(said, test.want) {
				t.Errorf("%s Exit status %d, want %d; it said\n%s\nwant\n%s", test.reason, status, test.status, said, test.want)
			}
		})
	}
}

// TestPlanOwnCredentials: with credentials of one's own beside --cluster, no Secret is read.
func TestPlanOwnCredentials(t *testing.T) {
	c := kafkatest.Start(t)
	secured := clusterAt(c, "default")
	secured.Spec.SASL = &v1alpha1.KafkaClusterSASL{Mechanism: "PLAIN", CredentialsRef: v1alpha1.SecretReference{Name: "creds"}}
	w := newWorld(t, c)
	w.withKube(t, interceptor.Funcs{}, secured)
	config := write(t, t.TempDir(), "client.properties", "security.protocol=PLAINTEXT\n")
	if status := w.run(t, manifestOf("orders"), "plan", "-f", "-", "--cluster", "default", "--command-config", config); status != 2 {
		t.Errorf("exit status %d: %s", status, w.err.String())
	}
}

// TestPlanGuardrails: the KafkaCluster's policies are judged as the operator judges them.
func TestPlanGuardrails(t *testing.T) {
	c := kafkatest.Start(t)
	create(t, c, "old", 3, 3, nil)
	guarded := clusterAt(c, "default")
	guarded.Spec.TopicPolicies = []v1alpha1.TopicPolicy{{
		Partitions: &v1alpha1.Int32Range{Max: new(int32(12))}, Quota: &v1alpha1.TopicQuota{Topics: new(int32(2))},
	}}
	shop := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	w := newWorld(t, c)
	w.withKube(t, interceptor.Funcs{}, guarded, shop, owner(t, c, "shop", "old", "old", nil))
	status := w.run(t, manifestOf("wide", "partitions: 13")+manifestOf("third", "partitions: 1")+manifestOf("old", "partitions: 12"), "plan", "-f", "-")
	for _, want := range []string{
		"KafkaTopic shop/wide (topic wide on default): Absent\n! PolicyViolation: spec.partitions is 13: ",
		"KafkaTopic shop/third (topic third on default): Absent\n! PolicyViolation: metadata.namespace is \"shop\": it has 2 KafkaTopics",
		"KafkaTopic shop/old (topic old on default): Owned\n+ grow topic old from 3 to 12 partitions\n",
		"3 topics: 1 to change, 2 with refusals\n",
	} {
		if !strings.Contains(w.out.String(), want) || status != 2 {
			t.Errorf("exit status %d; want %q in\n%s%s", status, want, w.out.String(), w.err.String())
		}
	}
	w.withKube(t, interceptor.Funcs{}, guarded) // the namespace is not there, or may not be read
	if status := w.run(t, manifestOf("a"), "plan", "-f", "-"); status != 2 || !strings.Contains(w.out.String(), "# whether KafkaCluster default takes topics of namespace shop, and its policies for them, is not known: ") {
		t.Errorf("exit status %d: %s%s", status, w.out.String(), w.err.String())
	}
}

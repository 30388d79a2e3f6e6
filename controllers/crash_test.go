package controllers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/pool"
	"mooring.dev/mooring/internal/topic"
)

// errKilled is what every effect returns once the process is dead: nothing it would still do happens.
var errKilled = errors.New("the process was killed")

// fuse lets a number of effects happen, and none after. Each effect is a failpoint: the process dies right after it.
type fuse struct {
	left int
	// effects that happened, in order.
	effects []string
}

func (f *fuse) burn(effect string) error {
	if f.left == 0 {
		return errKilled
	}
	f.left--
	f.effects = append(f.effects, effect)
	return nil
}

// fusedAdmin is an Admin whose steps burn the fuse.
type fusedAdmin struct {
	kafka.Admin
	fuse *fuse
}

func (a fusedAdmin) Apply(ctx context.Context, name string, s topic.Step) (kafka.Applied, error) {
	if err := a.fuse.burn(fmt.Sprintf("%T", s)); err != nil {
		return kafka.Applied{}, err
	}
	return a.Admin.Apply(ctx, name, s)
}

// onePool is Connections with one cluster that is always there.
type onePool struct{ admin kafka.Admin }

func (onePool) Ensure(string, kafka.Settings)                            {}
func (onePool) Hold(string, error)                                       {}
func (onePool) Remove(string)                                            {}
func (onePool) State(string) pool.State                                  { return pool.State{Phase: pool.Connected} }
func (p onePool) For(string) (kafka.Admin, error)                        { return p.admin, nil }
func (onePool) Forget(string, string)                                    {}
func (noEvents) Eventf(_, _ runtime.Object, _, _, _, _ string, _ ...any) {}

type noEvents struct{}

// world is what outlives a process: the API server and the brokers.
type world struct {
	t       *testing.T
	objects client.WithWatch
	brokers *kfake.Cluster
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	brokers, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(brokers.Close)
	builder := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.KafkaTopic{}, &v1alpha1.KafkaCluster{}).
		WithIndex(&v1alpha1.KafkaTopic{}, indexTopicsByMetric, func(o client.Object) []string {
			kt := o.(*v1alpha1.KafkaTopic)
			return []string{metricTarget(kt.Spec.ClusterRef.Name, kt.TopicName())}
		}).
		WithIndex(&v1alpha1.KafkaTopic{}, indexTopicsByCluster, func(o client.Object) []string {
			return []string{o.(*v1alpha1.KafkaTopic).Spec.ClusterRef.Name}
		})
	cluster := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	return &world{t: t, objects: builder.WithObjects(append(objects, cluster)...).Build(), brokers: brokers}
}

// process starts an operator's reconciler with nothing in memory, which dies after some effects.
func (w *world) process(f *fuse) *TopicReconciler {
	w.t.Helper()
	client1, err := franz.NewClient(kafka.Settings{BootstrapServers: w.brokers.ListenAddrs()})
	if err != nil {
		w.t.Fatal(err)
	}
	admin := franz.New(client1, nil)
	w.t.Cleanup(admin.Close)
	if _, err := admin.Poll(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	fused := interceptor.NewClient(w.objects, interceptor.Funcs{
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			if err := f.burn("status"); err != nil {
				return err
			}
			return c.SubResource(sub).Apply(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if err := f.burn("finalizer"); err != nil {
				return err
			}
			return c.Patch(ctx, o, p, opts...)
		},
	})
	return &TopicReconciler{Client: fused, Pool: onePool{fusedAdmin{admin, f}}, Events: Events{noEvents{}}, Now: time.Now, SettleFor: 5 * time.Second}
}

// live reconciles as a queue would, until nothing is left to do or the process is dead.
func (w *world) live(r *TopicReconciler, key client.ObjectKey) {
	w.t.Helper()
	for range 10 {
		var kt v1alpha1.KafkaTopic
		if err := w.objects.Get(w.t.Context(), key, &kt); err != nil {
			return // gone
		}
		result, err := r.Reconcile(w.t.Context(), &kt)
		if errors.Is(err, errKilled) || (err == nil && result.RequeueAfter == 0) {
			return
		}
		if result.RequeueAfter > time.Second {
			return // waits for something that a test of crashes does not have
		}
	}
}

func (w *world) topic(key client.ObjectKey) *v1alpha1.KafkaTopic {
	w.t.Helper()
	var kt v1alpha1.KafkaTopic
	if err := w.objects.Get(w.t.Context(), key, &kt); err != nil {
		return nil
	}
	return &kt
}

func (w *world) onBrokers(name string) (partitions int, minISR string) {
	w.t.Helper()
	direct, err := kgo.NewClient(kgo.SeedBrokers(w.brokers.ListenAddrs()...))
	if err != nil {
		w.t.Fatal(err)
	}
	defer direct.Close()
	admin := kadm.NewClient(direct)
	topics, err := admin.ListTopics(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	if !topics.Has(name) {
		return 0, ""
	}
	configs, err := admin.DescribeTopicConfigs(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range configs[0].Configs {
		if c.Key == topic.KeyMinInsyncReplicas {
			minISR = c.MaybeValue()
		}
	}
	return len(topics[name].Partitions), minISR
}

// TestKilledAfterEachEffect kills the operator after each effect of a topic's life, starts it again with nothing in memory,
// and wants what an undisturbed run comes to, with nothing done twice that must be done once.
func TestKilledAfterEachEffect(t *testing.T) {
	key := client.ObjectKey{Namespace: "default", Name: "orders"}
	scenarios := map[string]struct {
		reason  string
		prepare func(*v1alpha1.KafkaTopic) // before the undisturbed first life
		change  func(*testing.T, *world)   // what the killed process has to do
		once    []string                   // effects that must happen once over both lives
		want    func(t *testing.T, w *world)
	}{
		"create": {
			reason:  "a topic is created once, and owned by the next process",
			prepare: nil,
			once:    []string{"topic.Create"},
			want:    wantReady(key, 3, "2"),
		},
		"create under adoption Refuse": {
			reason: "a topic that a dead process of ours created is not refused as somebody else's",
			change: edit(key, func(kt *v1alpha1.KafkaTopic) { kt.Spec.Adoption = v1alpha1.AdoptionRefuse }),
			once:   []string{"topic.Create"},
			want:   wantReady(key, 3, "2"),
		},
		"grow and configure": {
			reason:  "partitions are added once",
			prepare: func(*v1alpha1.KafkaTopic) {},
			change: edit(key, func(kt *v1alpha1.KafkaTopic) {
				kt.Spec.Partitions, kt.Spec.MinInsyncReplicas = new(int32(7)), new(int32(1))
			}),
			once: []string{"topic.Grow", "topic.Configure"},
			want: wantReady(key, 7, "1"),
		},
		"create what is to be deleted some day": {
			reason: "the finalizer comes first: an object that is deleted in between must not leave its topic behind",
			change: edit(key, func(kt *v1alpha1.KafkaTopic) { kt.Spec.DeletionPolicy = v1alpha1.DeletionDelete }),
			once:   []string{"finalizer", "topic.Create"},
			want:   wantReady(key, 3, "2"),
		},
		"adopt a topic that differs": {
			reason: "what the first process changed is not somebody else's to the next",
			change: func(t *testing.T, w *world) {
				if err := w.brokers.CreateTopic(key.Name, 2, map[string]string{topic.KeyMinInsyncReplicas: "1"}); err != nil {
					t.Fatal(err)
				}
				edit(key, func(kt *v1alpha1.KafkaTopic) { kt.Spec.Adoption = v1alpha1.AdoptionAdopt })(t, w)
			},
			once: []string{"topic.Grow", "topic.Configure"},
			want: wantReady(key, 3, "2"),
		},
		"make a missing topic again": {
			reason:  "the topic that the first process made is not taken for a stranger's",
			prepare: func(kt *v1alpha1.KafkaTopic) { kt.Spec.OnMissing = v1alpha1.MissingRecreate },
			change: func(t *testing.T, w *world) {
				if err := w.brokers.DeleteTopic(key.Name); err != nil {
					t.Fatal(err)
				}
			},
			once: []string{"topic.Create"},
			want: wantReady(key, 3, "2"),
		},
		"reset what the manifest no longer names": {
			reason: "whose key it was is in status until it is reset",
			prepare: func(kt *v1alpha1.KafkaTopic) {
				kt.Spec.Config = map[string]v1alpha1.ConfigValue{"max.message.bytes": v1alpha1.MakeConfigValue("2097152")}
			},
			change: edit(key, func(kt *v1alpha1.KafkaTopic) { kt.Spec.Config = nil }),
			once:   []string{"topic.Configure"},
			want: func(t *testing.T, w *world) {
				wantReady(key, 3, "2")(t, w)
				if managed := w.topic(key).Status.ManagedConfig; len(managed) != 1 {
					t.Errorf("managedConfig is %v, want min.insync.replicas alone", managed)
				}
			},
		},
		"delete": {
			reason:  "the topic goes, and then the object",
			prepare: func(kt *v1alpha1.KafkaTopic) { kt.Spec.DeletionPolicy = v1alpha1.DeletionDelete },
			change: func(t *testing.T, w *world) {
				if err := w.objects.Delete(t.Context(), w.topic(key)); err != nil {
					t.Fatal(err)
				}
			},
			once: []string{"topic.Remove"},
			want: func(t *testing.T, w *world) {
				if n, _ := w.onBrokers(key.Name); n != 0 || w.topic(key) != nil {
					t.Errorf("topic with %d partitions and object %v are left", n, w.topic(key))
				}
			},
		},
	}
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			for kill := 0; ; kill++ {
				w := newWorld(t, sample(key))
				if s.prepare != nil {
					edit(key, s.prepare)(t, w)
					w.live(w.process(&fuse{left: 100}), key)
				}
				if s.change != nil {
					s.change(t, w)
				}
				first, second := &fuse{left: kill}, &fuse{left: 100}
				w.live(w.process(first), key)
				w.live(w.process(second), key)
				s.want(t, w)
				for _, effect := range s.once {
					if n := count(first.effects, effect) + count(second.effects, effect); n != 1 {
						t.Errorf("killed after effect %d (%v): %s happened %d times; %s", kill, first.effects, effect, n, s.reason)
					}
				}
				if t.Failed() || len(first.effects) < kill {
					return // the first process ended by itself: every failpoint has had its turn
				}
			}
		})
	}
}

func sample(key client.ObjectKey) *v1alpha1.KafkaTopic {
	return &v1alpha1.KafkaTopic{
		ObjectMeta: metav1.ObjectMeta{Name: key.Name, Namespace: key.Namespace, UID: "uid-1", Generation: 1},
		Spec: v1alpha1.KafkaTopicSpec{
			ClusterRef: v1alpha1.ClusterReference{Name: "default"}, Partitions: new(int32(3)), ReplicationFactor: new(int32(3)), MinInsyncReplicas: new(int32(2)),
			Adoption: v1alpha1.AdoptionReview, DeletionPolicy: v1alpha1.DeletionRetain, Mode: v1alpha1.ModeManage, OnMissing: v1alpha1.MissingAlert,
		},
	}
}

func edit(key client.ObjectKey, change func(*v1alpha1.KafkaTopic)) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		kt := w.topic(key)
		change(kt)
		kt.Generation++
		if err := w.objects.Update(t.Context(), kt); err != nil {
			t.Fatal(err)
		}
	}
}

func wantReady(key client.ObjectKey, partitions int, minISR string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		kt := w.topic(key)
		ready := meta.FindStatusCondition(kt.Status.Conditions, v1alpha1.ConditionReady)
		if ready == nil || ready.Status != metav1.ConditionTrue {
			t.Errorf("not ready: %+v", ready)
		}
		gotPartitions, gotMinISR := w.onBrokers(kt.TopicName())
		if diff := cmp.Diff([]any{partitions, minISR}, []any{gotPartitions, gotMinISR}); diff != "" {
			t.Errorf("on the brokers (-want +got):\n%s", diff)
		}
	}
}

func count(effects []string, effect string) int {
	n := 0
	for _, e := range effects {
		if e == effect {
			n++
		}
	}
	return n
}

package controllers

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka/pool"
)

// lists counts the lists of a client: those that wait for our own writes, and the others.
type lists struct{ Waiting, Free int }

func (w *world) counting(l *lists) client.Client {
	return interceptor.NewClient(w.objects, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if (&client.ListOptions{}).ApplyOptions(opts).DisableReadYourWritesConsistency {
				l.Free++
			} else {
				l.Waiting++
			}
			return c.List(ctx, list, opts...)
		},
	})
}

func named(name, topicName string, minute int) *v1alpha1.KafkaTopic {
	kt := sample(client.ObjectKey{Namespace: "default", Name: name})
	kt.UID, kt.Spec.TopicName = kt.UID+kt.UID, topicName
	kt.CreationTimestamp = metav1.Unix(int64(minute)*60, 0)
	return kt
}

func TestTheSameTopicIsFoundAmongThoseOfOneMetric(t *testing.T) {
	w := newWorld(t, named("second", "a.b", 2), named("first", "a.b", 1), named("collides", "a_b", 0), named("other", "a.c", 0))
	found := func(items []v1alpha1.KafkaTopic) []string {
		var names []string
		for i := range items {
			names = append(names, items[i].Name)
		}
		return names
	}
	var l lists
	c := w.counting(&l)
	same, err := sameTarget(t.Context(), c, "default", "a.b")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"first", "second"}, found(same)); diff != "" {
		t.Errorf("the oldest owns it, and a_b is another topic (-want +got):\n%s", diff)
	}
	collide, err := TopicsOfMetric(t.Context(), c, "default", "a_b")
	if err != nil {
		t.Fatal(err)
	}
	if len(collide) != 3 {
		t.Errorf("%v share the metrics of a_b, want 3", found(collide))
	}
	if diff := cmp.Diff(lists{Free: 2}, l); diff != "" {
		t.Errorf("a thousand reconciles would wait for each other's writes (-want +got):\n%s", diff)
	}
}

func TestATopicThatGoesLooksForThoseHeldBackOnlyWhereThereIsAQuota(t *testing.T) {
	gone := named("gone", "gone", 0)
	for name, row := range map[string]struct {
		reason   string
		policies []v1alpha1.TopicPolicy
		want     lists
	}{
		"without policies": {"nobody is held back", nil, lists{}},
		"without a quota":  {"what holds back does not go with a topic", []v1alpha1.TopicPolicy{{NamePattern: "^x"}}, lists{}},
		"with a quota":     {"its share is free", []v1alpha1.TopicPolicy{{Quota: &v1alpha1.TopicQuota{}}}, lists{Waiting: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var cluster v1alpha1.KafkaCluster
			if err := w.objects.Get(t.Context(), client.ObjectKey{Name: "default"}, &cluster); err != nil {
				t.Fatal(err)
			}
			cluster.Spec.TopicPolicies = row.policies
			if err := w.objects.Update(t.Context(), &cluster); err != nil {
				t.Fatal(err)
			}
			var l lists
			r := &TopicReconciler{Client: w.counting(&l), Pool: onePool{}}
			r.heldBack(t.Context(), gone)
			if diff := cmp.Diff(row.want, l); diff != "" {
				t.Errorf("%s (-want +got):\n%s", row.reason, diff)
			}
		})
	}
}

func TestWhoMovesReplicasIsReadAfterOurOwnWrites(t *testing.T) {
	w := newWorld(t, named("one", "one", 0))
	var l lists
	r := &TopicReconciler{Client: w.counting(&l), Pool: onePool{}}
	s := &scope{reconciler: r, topic: named("one", "one", 0)}
	if err := s.lookAround(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l.Waiting != 1 || l.Free != 0 {
		t.Errorf("%+v: a status of ours that is not in the cache yet would take the throttle off another topic's replicas", l)
	}
	if got := r.topicsOf(t.Context(), pool.TopicRef{Cluster: "default"}); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

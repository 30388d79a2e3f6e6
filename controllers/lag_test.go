package controllers

import (
	"context"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// lateAdmin is an Admin whose brokers do not show a topic for some looks after it was created.
type lateAdmin struct {
	kafka.Admin
	blind   int
	creates int
	created bool
}

func (a *lateAdmin) Apply(ctx context.Context, name string, s topic.Step) (kafka.Applied, error) {
	if _, is := s.(topic.Create); is {
		a.creates++
		a.created = true
	}
	return a.Admin.Apply(ctx, name, s)
}

func (a *lateAdmin) Observe(ctx context.Context, name string, keys []string, f kafka.Freshness) (topic.Observed, error) {
	o, err := a.Admin.Observe(ctx, name, keys, f)
	if a.created && a.blind > 0 {
		a.blind--
		return topic.Observed{At: o.At}, err
	}
	return o, err
}

// TestATopicThatIsNotShownYetIsNeitherLostNorMadeAgain is trap 2: UNKNOWN_TOPIC_OR_PARTITION after a create is lag.
func TestATopicThatIsNotShownYetIsNeitherLostNorMadeAgain(t *testing.T) {
	key := client.ObjectKey{Namespace: "default", Name: "orders"}
	for name, row := range map[string]struct {
		reason  string
		blind   int
		settle  time.Duration
		between string // reason of Ready after the first reconcile
	}{
		"for a moment":            {"the reconcile waits for it", 3, 5 * time.Second, v1alpha1.ReasonReady},
		"longer than a reconcile": {"it is on its way, and the next reconcile looks again", 4, 30 * time.Millisecond, v1alpha1.ReasonProgressing},
		"longer than two of them": {"it stays on its way, because we made it a moment ago", 8, 30 * time.Millisecond, v1alpha1.ReasonProgressing},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sample(key))
			r := w.process(&fuse{left: 100})
			late := &lateAdmin{Admin: r.Pool.(onePool).admin, blind: row.blind}
			r.Pool, r.SettleFor = onePool{late}, row.settle
			if _, err := r.Reconcile(t.Context(), w.topic(key)); err != nil {
				t.Fatal(err)
			}
			if got := readyReason(w.topic(key)); got != row.between {
				t.Errorf("after the first reconcile: %s, want %s; %s", got, row.between, row.reason)
			}
			r.SettleFor = 5 * time.Second
			for range row.blind {
				if got := readyReason(w.topic(key)); got == v1alpha1.ReasonTopicMissing {
					t.Fatalf("the topic was taken for lost; %s", row.reason)
				}
				if _, err := r.Reconcile(t.Context(), w.topic(key)); err != nil {
					t.Fatal(err)
				}
			}
			wantReady(key, 3, "2")(t, w)
			if late.creates != 1 {
				t.Errorf("created %d times; %s", late.creates, row.reason)
			}
		})
	}
}

func readyReason(kt *v1alpha1.KafkaTopic) string {
	if ready := meta.FindStatusCondition(kt.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return ""
}

// racedAdmin is an Admin on which somebody else grows the topic first.
type racedAdmin struct{ kafka.Admin }

func (a racedAdmin) Apply(ctx context.Context, name string, s topic.Step) (kafka.Applied, error) {
	applied, err := a.Admin.Apply(ctx, name, s)
	if _, grows := s.(topic.Grow); grows && err == nil {
		err = kafka.NewError(kafka.ClassInvalid, "INVALID_PARTITIONS: Topic already has 7 partition(s).")
	}
	return applied, err
}

// TestGrowingToWhatIsThereIsDone is trap 5: CreatePartitions to the present count answers INVALID_PARTITIONS.
func TestGrowingToWhatIsThereIsDone(t *testing.T) {
	key := client.ObjectKey{Namespace: "default", Name: "orders"}
	w := newWorld(t, sample(key))
	r := w.process(&fuse{left: 100})
	w.live(r, key)
	edit(key, func(kt *v1alpha1.KafkaTopic) { kt.Spec.Partitions = new(int32(7)) })(t, w)
	r.Pool = onePool{racedAdmin{r.Pool.(onePool).admin}}
	if _, err := r.Reconcile(t.Context(), w.topic(key)); err != nil {
		t.Fatal(err)
	}
	wantReady(key, 7, "2")(t, w)
}

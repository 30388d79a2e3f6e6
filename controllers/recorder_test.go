package controllers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// book is an API server that takes Events. It counts those under way.
type book struct {
	eventsclient.EventInterface
	namespace string
	// fail says what the next writes come to; nil takes them.
	fail func(try int) error
	// slow is how long each takes.
	slow time.Duration
	// late is how much longer a count takes; nil is no longer.
	late func(count []byte) time.Duration

	mu     sync.Mutex
	tries  int
	events map[string]*eventsv1.Event
}

func (b *book) Events(namespace string) eventsclient.EventInterface {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.namespace = namespace
	return b
}

func (b *book) take(ctx context.Context) error {
	select {
	case <-time.After(b.slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.fail != nil {
		return b.fail(b.tries)
	}
	return nil
}

func (b *book) Create(ctx context.Context, e *eventsv1.Event, _ metav1.CreateOptions) (*eventsv1.Event, error) {
	if err := b.take(ctx); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.events == nil {
		b.events = make(map[string]*eventsv1.Event)
	}
	if b.events[e.Name] != nil {
		return nil, apierrors.NewAlreadyExists(eventsv1.Resource("events"), e.Name)
	}
	b.events[e.Name] = e
	return e, nil
}

func (b *book) Patch(ctx context.Context, name string, _ types.PatchType, data []byte, _ metav1.PatchOptions, _ ...string) (*eventsv1.Event, error) {
	if err := b.take(ctx); err != nil {
		return nil, err
	}
	if b.late != nil {
		<-time.After(b.late(data))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.events[name] == nil {
		return nil, apierrors.NewNotFound(eventsv1.Resource("events"), name)
	}
	return b.events[name], json.Unmarshal(data, b.events[name])
}

// told is what is written: the note, and how often.
func (b *book) told() map[string]int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	told := make(map[string]int32)
	for _, e := range b.events {
		times := int32(1)
		if e.Series != nil {
			times = e.Series.Count
		}
		told[e.Type+" "+e.Reason+": "+e.Note] += times
	}
	return told
}

func testRecorder(t *testing.T, b *book) *Recorder {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return newRecorder(b, scheme)
}

func orders() *v1alpha1.KafkaTopic {
	return &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders", UID: "uid-1"}}
}

func TestEventsSayWhatHappenedOnce(t *testing.T) {
	for name, row := range map[string]struct {
		reason string
		tell   func(e Events)
		want   map[string]int32
	}{
		"two keys drift": {
			"the second one is not a repetition of the first, although object and reason are the same",
			func(e Events) {
				e.warning(orders(), eventDrifted, "set retention.ms")
				e.warning(orders(), eventDrifted, "set cleanup.policy")
			},
			map[string]int32{"Warning TopicDrifted: set retention.ms": 1, "Warning TopicDrifted: set cleanup.policy": 1},
		},
		"a refusal comes again": {
			"one Event with a count is read, and a hundred of them are not",
			func(e Events) {
				for range 3 {
					e.warning(orders(), "PolicyViolation", "too many partitions")
				}
			},
			map[string]int32{"Warning PolicyViolation: too many partitions": 3},
		},
		"a refusal comes again after a long time": {
			"the Event of the first may have gone",
			func(e Events) {
				e.warning(orders(), "PolicyViolation", "too many partitions")
				<-time.After(repeatedWithin)
				e.warning(orders(), "PolicyViolation", "too many partitions")
			},
			map[string]int32{"Warning PolicyViolation: too many partitions": 2},
		},
		"another object of the same name": {
			"it is another object's news",
			func(e Events) {
				other := orders()
				other.UID = "uid-2"
				e.warning(orders(), "PolicyViolation", "too many partitions")
				e.warning(other, "PolicyViolation", "too many partitions")
			},
			map[string]int32{"Warning PolicyViolation: too many partitions": 2},
		},
		"the same step twice": {
			"each was carried out",
			func(e Events) {
				e.normal(orders(), eventConfigured, "set retention.ms to 1")
				e.normal(orders(), eventConfigured, "set retention.ms to 1")
			},
			map[string]int32{"Normal ConfigChanged: set retention.ms to 1": 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &book{}
				r := testRecorder(t, b)
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- r.Start(ctx) }()
				row.tell(Events{Recorder: r})
				synctest.Wait()
				if diff := cmp.Diff(row.want, b.told()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", row.reason, diff)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAnEventOfAClusterHasANamespace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		r := testRecorder(t, b)
		Events{Recorder: r}.normal(&v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default", UID: "uid-1"}}, "Ready", "connected")
		r.drain(t.Context())
		if b.namespace != metav1.NamespaceDefault || len(b.told()) != 1 {
			t.Errorf("%v went to namespace %q", b.told(), b.namespace)
		}
		for _, e := range b.events {
			if e.Regarding.Kind != "KafkaCluster" || e.Regarding.APIVersion != v1alpha1.GroupVersion.String() || e.Action == "" || e.ReportingController == "" || e.EventTime.IsZero() {
				t.Errorf("the API server would refuse %+v", e)
			}
		}
	})
}

func TestAnEventOfALongNameIsTaken(t *testing.T) {
	b := &book{}
	r := testRecorder(t, b)
	long := orders()
	long.Name = strings.Repeat("a", 229) + "-" + strings.Repeat("b", 23) // the longest that an object may have
	Events{Recorder: r}.normal(long, eventCreated, "create topic")
	Events{Recorder: r}.normal(long, eventConfigured, "set retention.ms")
	r.drain(t.Context())
	if len(b.events) != 2 {
		t.Errorf("%d Events, want 2", len(b.events))
	}
	for name := range b.events {
		if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
			t.Errorf("the API server would refuse the name %s: %v", name, problems)
		}
	}
}

func TestEventsOutliveTheProcessForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{slow: 100 * time.Millisecond}
		r := testRecorder(t, b)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Start(ctx) }()
		for i := range 20 {
			Events{Recorder: r}.normal(orders(), eventConfigured, "step %d", i)
		}
		synctest.Wait() // each writer has one under way
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := len(b.told()); got != 20 {
			t.Errorf("%d of 20 Events were written before the process ended", got)
		}
	})
}

func TestAnEventIsTriedAgainUnlessItIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		reason string
		fail   func(try int) error
		tries  int
		told   int
	}{
		"the API server is away for a moment": {"it comes back", func(try int) error { return map[bool]error{true: errors.New("connection refused")}[try < 3] }, 3, 1},
		"the API server is away for too long": {"others wait", func(int) error { return errors.New("connection refused") }, eventTries, 0},
		"the API server has no time":          {"it says so", func(try int) error { return map[bool]error{true: apierrors.NewTooManyRequests("", 1)}[try < 2] }, 2, 1},
		"the namespace is being deleted":      {"it will not take it later either", func(int) error { return apierrors.NewForbidden(eventsv1.Resource("events"), "", nil) }, 1, 0},
		"it arrived although nobody was told": {"once is enough", func(int) error { return apierrors.NewAlreadyExists(eventsv1.Resource("events"), "") }, 1, 0},
		"the API server answers with an error": {"it is not the Event's", func(try int) error {
			return map[bool]error{true: apierrors.NewInternalError(errors.New("etcd"))}[try < 2]
		}, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &book{fail: row.fail}
				r := testRecorder(t, b)
				Events{Recorder: r}.normal(orders(), eventConfigured, "a step")
				r.write(t.Context(), <-queueOf(t, r))
				if b.tries != row.tries || len(b.told()) != row.told {
					t.Errorf("%d tries, %d written; want %d and %d: %s", b.tries, len(b.told()), row.tries, row.told, row.reason)
				}
			})
		})
	}
}

// queueOf is the queue that has something.
func queueOf(t *testing.T, r *Recorder) chan written {
	t.Helper()
	for _, queue := range r.queues {
		if len(queue) > 0 {
			return queue
		}
	}
	t.Fatal("nothing waits to be written")
	return nil
}

// Counts of one Event are written one after another: an older one that takes long does not follow a newer one.
func TestACountDoesNotGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{late: func(data []byte) time.Duration {
			return map[bool]time.Duration{true: time.Second}[bytes.Contains(data, []byte(`"count":2`))]
		}}
		r := testRecorder(t, b)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Start(ctx) }()
		for range 3 {
			Events{Recorder: r}.warning(orders(), "PolicyViolation", "too many partitions")
			synctest.Wait()
		}
		<-time.After(2 * time.Second)
		if diff := cmp.Diff(map[string]int32{"Warning PolicyViolation: too many partitions": 3}, b.told()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestWhoeverTellsNeverWaits(t *testing.T) {
	b := &book{}
	r := testRecorder(t, b)
	for i := range r.queues {
		r.queues[i] = make(chan written, 2) // and nobody writes
	}
	for range 5 {
		Events{Recorder: r}.warning(orders(), "PolicyViolation", "too many partitions")
	}
	if n := len(queueOf(t, r)); n != 2 {
		t.Errorf("%d wait, want 2", n)
	}
}

func TestACountFindsItsEventGone(t *testing.T) {
	b := &book{}
	r := testRecorder(t, b)
	Events{Recorder: r}.warning(orders(), "PolicyViolation", "too many partitions")
	Events{Recorder: r}.warning(orders(), "PolicyViolation", "too many partitions")
	<-queueOf(t, r) // the first never arrived
	r.drain(t.Context())
	if diff := cmp.Diff(map[string]int32{"Warning PolicyViolation: too many partitions": 2}, b.told()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	eventsclient "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/reference"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	// eventWriters is few: what Events tell may come late, and the statuses that are written meanwhile may not.
	eventWriters = 8
	// maxQueuedEvents is how many Events wait for each writer. Those of ten thousand topics at once fit; beyond it the newest is
	// dropped and counted, because whoever has something to tell never waits for it to be written down.
	maxQueuedEvents = 2048
	// eventTries is how often the API server is asked to take one, and eventTimeout how long it may take each time.
	eventTries   = 4
	eventTimeout = 15 * time.Second
	// rememberedEvents bounds what is known of Events that may come again, and repeatedWithin is for how long: the same news of the
	// same object is then a count on the first Event.
	rememberedEvents = 1024
	repeatedWithin   = 10 * time.Minute
	// lastEvents is how long a process that ends goes on writing what waits.
	lastEvents = 5 * time.Second
)

// Recorder writes events.k8s.io/v1 Events, behind the reconciles. It stands in for client-go's broadcaster (tools/events), which
// takes two Events of one object with one reason for a repetition whatever their notes say, so that of two keys that changed the
// second is never told; keeps each for six minutes, which at ten thousand topics is a quarter of the operator's memory; and drops
// what comes when a thousand wait.
type Recorder struct {
	sink     eventsclient.EventsGetter
	scheme   *runtime.Scheme
	instance string
	// queues of the writers. An Event and its counts are one writer's, so that an older count never follows a newer one.
	queues [eventWriters]chan written

	mu   sync.Mutex
	last int64 // what the last name ends in
	// recent are the Events that may come again, by what they tell.
	recent *lru.Cache
}

// written is one write: of a new Event, or of the count of one that came again.
type written struct {
	event *eventsv1.Event
	again bool
}

// news is what an Event tells. Another that tells the same is a repetition.
type news struct {
	uid          types.UID
	kind, reason string
	note         string
}

// NewRecorder returns one for objects of the scheme. It writes once it is started.
func NewRecorder(config *rest.Config, scheme *runtime.Scheme) (*Recorder, error) {
	config = rest.CopyConfig(config)
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON
	sink, err := eventsclient.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return newRecorder(sink, scheme), nil
}

func newRecorder(sink eventsclient.EventsGetter, scheme *runtime.Scheme) *Recorder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // the name only tells apart who wrote an Event
	}
	r := &Recorder{sink: sink, scheme: scheme, instance: Cut("mooring-"+host, 128), recent: lru.New(rememberedEvents)}
	for i := range r.queues {
		r.queues[i] = make(chan written, maxQueuedEvents)
	}
	return r
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: what the leader said last is written after it has stopped leading.
func (r *Recorder) NeedLeaderElection() bool { return false }

// Eventf implements events.EventRecorder. It never waits.
func (r *Recorder) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	about, err := reference.GetReference(r.scheme, regarding)
	if err != nil {
		ctrl.Log.WithName("events").Error(err, "an Event about no object", "reason", reason)
		return
	}
	event := &eventsv1.Event{
		EventTime: metav1.NowMicro(), ReportingController: "mooring", ReportingInstance: r.instance,
		Type: kind, Reason: reason, Action: action, Note: fmt.Sprintf(note, args...), Regarding: *about,
	}
	if related != nil {
		if event.Related, err = reference.GetReference(r.scheme, related); err != nil {
			event.Related = nil // what it is about is known all the same
		}
	}
	if event.Namespace = about.Namespace; event.Namespace == "" {
		event.Namespace = metav1.NamespaceDefault // an Event has a namespace, and a KafkaCluster has none
	}
	r.send(r.count(event))
}

// count names an Event, or finds the one that it repeats.
func (r *Recorder) count(event *eventsv1.Event) written {
	tells := news{event.Regarding.UID, event.Type, event.Reason, event.Note}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = max(r.last+1, event.EventTime.UnixNano()) // two Events of one moment are two
	event.Name = fmt.Sprintf("%s.%x", strings.TrimRight(event.Regarding.Name[:min(len(event.Regarding.Name), 230)], ".-"), r.last)
	if kept, ok := r.recent.Get(tells); ok {
		first := kept.(*eventsv1.Event)
		last, times := first.EventTime, int32(1)
		if first.Series != nil {
			last, times = first.Series.LastObservedTime, first.Series.Count
		}
		if event.EventTime.Sub(last.Time) < repeatedWithin {
			first.Series = &eventsv1.EventSeries{Count: times + 1, LastObservedTime: event.EventTime}
			return written{first.DeepCopy(), true}
		}
	}
	// Progress is never the same news twice; what stands in the way may be.
	if event.Type == corev1.EventTypeWarning {
		r.recent.Add(tells, event.DeepCopy())
	}
	return written{event, false}
}

func (r *Recorder) send(w written) {
	select {
	case r.queues[writerOf(w.event.Name)] <- w:
	default:
		eventsDropped.Inc()
	}
}

// writerOf an Event's name.
func writerOf(name string) int {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int(h.Sum32() % eventWriters)
}

// Start implements manager.Runnable.
func (r *Recorder) Start(ctx context.Context) error {
	var group sync.WaitGroup
	for _, queue := range r.queues {
		group.Go(func() {
			for {
				select {
				case w := <-queue:
					r.write(ctx, w)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	group.Wait()
	r.drain(context.WithoutCancel(ctx))
	return nil
}

// drain writes what waits, for a while.
func (r *Recorder) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastEvents)
	defer cancel()
	for _, queue := range r.queues {
		for ctx.Err() == nil && len(queue) > 0 {
			r.write(ctx, <-queue)
		}
	}
}

func (r *Recorder) write(ctx context.Context, w written) {
	for try := range eventTries {
		err := r.try(ctx, w)
		var refusal *apierrors.StatusError
		switch {
		case err == nil, apierrors.IsAlreadyExists(err):
			return
		case ctx.Err() != nil:
			r.send(w) // the process ends, and drain writes it if there is time
			return
		case errors.As(err, &refusal) && !apierrors.IsTooManyRequests(err) && !apierrors.IsServerTimeout(err) && !apierrors.IsInternalError(err):
			ctrl.Log.WithName("events").Info("the API server refuses an Event", "event", w.event.Note, "error", err.Error())
			return
		}
		select {
		case <-time.After(time.Second << try):
		case <-ctx.Done(): // the next try says so
		}
	}
	eventsDropped.Inc()
}

func (r *Recorder) try(ctx context.Context, w written) error {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	events := r.sink.Events(w.event.Namespace)
	if w.again {
		patch, err := json.Marshal(map[string]any{"series": w.event.Series})
		if err != nil {
			return err
		}
		if _, err = events.Patch(ctx, w.event.Name, types.MergePatchType, patch, metav1.PatchOptions{}); !apierrors.IsNotFound(err) {
			return err
		}
	}
	_, err := events.Create(ctx, w.event, metav1.CreateOptions{})
	return err
}

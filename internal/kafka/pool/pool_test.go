package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
)

// world is the clusters that a pool may dial, by their first bootstrap server. Time is fake.
type world struct {
	mu       sync.Mutex
	clusters map[string]*cluster
	dials    int
	open     []*conn
}

// cluster is one of them, as a dial finds it.
type cluster struct {
	id string
	// err is what a look gets; refuse, what it gets with a password.
	err    error
	refuse map[string]error
	// hang makes a look take for ever.
	hang bool
	// changes that the next look finds.
	changes franz.Changes
	polls   int
}

// conn is a Conn to one cluster. Only Poll, Info, Forget and Close are called by a pool.
type conn struct {
	kafka.Admin
	world     *world
	server    string
	password  string
	closed    bool
	forgotten []string
}

func (c *conn) Poll(ctx context.Context) (franz.Changes, error) {
	c.world.mu.Lock()
	target := c.world.clusters[c.server]
	target.polls++
	hang, err, changes := target.hang, target.err, target.changes
	if refused := target.refuse[c.password]; err == nil {
		err = refused
	}
	target.changes = franz.Changes{}
	if c.closed {
		err = errors.New("poll of a closed connection")
	}
	c.world.mu.Unlock()
	if hang {
		<-ctx.Done()
		return franz.Changes{}, kafka.FromClient(ctx.Err())
	}
	return changes, err
}

func (c *conn) Info() kafka.ClusterInfo {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	return kafka.ClusterInfo{ClusterID: c.world.clusters[c.server].id, Topics: 3}
}

func (c *conn) Forget(name string) {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	c.forgotten = append(c.forgotten, name)
}

func (c *conn) Close() {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	if c.closed {
		panic("closed twice")
	}
	c.closed = true
	c.world.open = slices.DeleteFunc(c.world.open, func(o *conn) bool { return o == c })
}

func (w *world) dial(s kafka.Settings) (Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dials++
	password := ""
	if s.SASL != nil {
		password = s.SASL.Values["password"]
	}
	if password == "unparsable" {
		return nil, kafka.NewError(kafka.ClassInvalid, "the password does not parse")
	}
	c := &conn{world: w, server: s.BootstrapServers[0], password: password}
	w.open = append(w.open, c)
	return c, nil
}

func (w *world) change(server string, do func(c *cluster)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do(w.clusters[server])
}

func (w *world) polls(server string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clusters[server].polls
}

func (w *world) dialled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials
}

// connections that are open, by their passwords.
func (w *world) connections() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := []string{}
	for _, c := range w.open {
		all = append(all, c.password)
	}
	return all
}

const server = "kafka:9092"

func settings(password string) kafka.Settings {
	return kafka.Settings{
		BootstrapServers: []string{server}, Interval: time.Minute,
		SASL: &kafka.SASL{Mechanism: "PLAIN", Values: map[string]string{"username": "u", "password": password}},
	}
}

// stage is a pool that runs, the world around it, and what its feeds said.
type stage struct {
	*testing.T
	*Pool
	world *world
	stop  context.CancelFunc
	ended chan struct{}
}

// play runs test in a bubble with a pool that has started. Afterwards nothing of it may be left.
func play(t *testing.T, test func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.start()
		test(s)
		s.end()
	})
}

func newStage(t *testing.T) *stage {
	w := &world{clusters: map[string]*cluster{server: {id: "one", refuse: make(map[string]error)}}}
	return &stage{T: t, world: w, Pool: New(Options{Dial: w.dial, Log: logr.Discard()}), ended: make(chan struct{})}
}

func (s *stage) start() {
	ctx, cancel := context.WithCancel(s.Context())
	s.stop = cancel
	go func() {
		defer close(s.ended)
		if err := s.Start(ctx); err != nil {
			s.Errorf("start: %v", err)
		}
	}()
	synctest.Wait()
}

func (s *stage) end() {
	s.stop()
	<-s.ended
	<-time.After(time.Minute) // what a rotation left serves for a while
	if open := s.world.connections(); len(open) > 0 {
		s.Errorf("connections outlive the pool: %v", open)
	}
}

// after lets time pass, and then everything that is due happen.
func (s *stage) after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// ensure connects, or tries to.
func (s *stage) ensure(name string, settings kafka.Settings) {
	s.Ensure(name, settings)
	synctest.Wait()
}

// fired takes what the feeds have said since the last time: names of clusters, and topics as cluster/topic.
func (s *stage) fired() []string {
	all := []string{}
	for {
		select {
		case e := <-s.clusters.out:
			all = append(all, e.Object)
		case e := <-s.topics.out:
			all = append(all, e.Object.Cluster+"/"+e.Object.Topic)
		default:
			slices.Sort(all)
			return all
		}
		synctest.Wait()
	}
}

func (s *stage) expectFired(when string, want ...string) {
	s.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, s.fired()); diff != "" {
		s.Errorf("%s, the feeds fired (-want +got):\n%s", when, diff)
	}
}

func (s *stage) expectPhase(when, name string, want Phase) State {
	s.Helper()
	state := s.State(name)
	if state.Phase != want {
		s.Errorf("%s, the phase is %d, want %d: %+v", when, state.Phase, want, state)
	}
	return state
}

// expectRefused wants For to say at once why there is no Admin.
func (s *stage) expectRefused(when, name string, want kafka.Class) {
	s.Helper()
	start := time.Now()
	admin, err := s.For(name)
	if admin != nil || kafka.ClassOf(err) != want {
		s.Errorf("%s, For gives %v, class %d, want %d: %v", when, admin, kafka.ClassOf(err), want, err)
	}
	if took := time.Since(start); took != 0 {
		s.Errorf("%s, For took %s: a reconcile never waits for a cluster", when, took)
	}
}

func (s *stage) expectServes(when, name, password string) {
	s.Helper()
	admin, err := s.For(name)
	if err != nil {
		s.Fatalf("%s, For: %v", when, err)
	}
	c := admin.(*conn)
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if c.password != password || c.closed {
		s.Errorf("%s, the Admin has the password %s (closed: %t), want %s", when, c.password, c.closed, password)
	}
}

func TestConnect(t *testing.T) {
	play(t, func(s *stage) {
		s.expectPhase("before anything", "prod", Unknown)
		s.expectRefused("before anything", "prod", kafka.ClassNotConnected)
		s.ensure("prod", settings("a"))
		if state := s.expectPhase("connected", "prod", Connected); state.Info.ClusterID != "one" || state.Err != nil || state.RotationErr != nil || state.Out {
			s.Errorf("%+v", state)
		}
		s.expectServes("connected", "prod", "a")
		s.expectFired("connected", "prod", "prod/")
		polls := s.world.polls(server)
		s.ensure("prod", settings("a"))
		if got := s.world.polls(server); got != polls || s.world.dialled() != 1 {
			s.Errorf("the same settings again made %d looks and %d dials", got-polls, s.world.dialled())
		}
		s.expectFired("with the same settings again")
	})
}

func TestAPoolThatHasNotStartedDoesNotDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.ensure("prod", settings("a"))
		s.expectPhase("before the start", "prod", Connecting)
		s.expectRefused("before the start", "prod", kafka.ClassNotConnected)
		if s.world.dialled() != 0 {
			t.Error("a replica that does not lead dials")
		}
		s.Remove("gone")
		s.start()
		s.expectPhase("after the start", "prod", Connected)
		s.end()
		s.expectPhase("after the end", "prod", Unknown)
		s.expectRefused("after the end", "prod", kafka.ClassNotConnected)
	})
	if !(&Pool{}).NeedLeaderElection() {
		t.Error("a replica that does not lead must not dial")
	}
}

func TestAClusterThatIsAwayFromTheStart(t *testing.T) {
	play(t, func(s *stage) {
		down := kafka.NewError(kafka.ClassUnreachable, "connection refused")
		s.world.change(server, func(c *cluster) { c.err = down })
		s.ensure("prod", settings("a"))
		if state := s.expectPhase("away", "prod", Failing); !errors.Is(state.Err, down) || state.Out {
			s.Errorf("%+v", state)
		}
		s.expectRefused("away", "prod", kafka.ClassUnreachable)
		s.expectFired("away", "prod", "prod/") // the topics say so at once: they never were ready
		if open := s.world.connections(); len(open) > 0 {
			s.Errorf("a connection that has not shown the cluster stays open: %v", open)
		}
		// A dead cluster is looked at seldom, and costs nobody anything.
		dials := s.world.dialled()
		s.after(10 * time.Minute)
		if got := s.world.dialled() - dials; got < 30 || got > 50 {
			s.Errorf("%d dials in ten minutes", got)
		}
		s.world.change(server, func(c *cluster) { c.err = nil })
		s.after(longestPause)
		s.expectPhase("back", "prod", Connected)
		s.expectServes("back", "prod", "a")
		if fired := s.fired(); !slices.Contains(fired, "prod") || !slices.Contains(fired, "prod/") {
			s.Errorf("back, and the feeds fired %v", fired)
		}
	})
}

func TestAnOutage(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("a"))
		s.fired()
		s.world.change(server, func(c *cluster) { c.err = kafka.NewError(kafka.ClassUnreachable, "connection refused") })
		s.after(67 * time.Second) // an interval and its jitter
		if state := s.expectPhase("away", "prod", Failing); state.Out || state.Info.ClusterID != "one" {
			s.Errorf("what was seen last stays: %+v", state)
		}
		s.expectRefused("away", "prod", kafka.ClassUnreachable)
		s.expectFired("away for a moment, which the topics need not know", "prod")
		s.after(time.Minute)
		s.expectFired("away for a minute")
		s.after(90 * time.Second)
		if state := s.expectPhase("away beyond the grace", "prod", Failing); !state.Out {
			s.Errorf("%+v", state)
		}
		s.expectFired("away beyond the grace", "prod/")
		s.after(10 * time.Minute)
		s.expectFired("away for long, which is no news")
		s.world.change(server, func(c *cluster) { c.err = nil })
		s.after(longestPause)
		if state := s.expectPhase("back", "prod", Connected); state.Out || state.Err != nil {
			s.Errorf("%+v", state)
		}
		s.expectFired("back", "prod", "prod/")
		if s.world.dialled() != 1 {
			s.Errorf("%d dials: an outage needs no new client", s.world.dialled())
		}
	})
}

// The pause after a failure doubles, and is short again after a success.
func TestPausesAfterFailures(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("a"))
		s.world.change(server, func(c *cluster) { c.err = errors.New("?") })
		s.after(67 * time.Second)
		for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 15 * time.Second} {
			// Looks come in order of the pauses, so in each of them there is exactly one.
			before := s.world.polls(server)
			for s.world.polls(server) == before {
				s.after(10 * time.Millisecond)
			}
			start := time.Now()
			for s.world.polls(server) == before+1 {
				s.after(10 * time.Millisecond)
			}
			if got := time.Since(start); pause == 15*time.Second && (got < 14*time.Second || got > 16*time.Second) {
				s.Errorf("a dead cluster is looked at after %s", got)
			}
			s.world.change(server, func(c *cluster) { c.polls = 0 })
		}
	})
}

func TestAWordOnTheFirstFailureAndWhenItTurnsAnother(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("a"))
		s.fired()
		s.world.change(server, func(c *cluster) { c.err = kafka.NewError(kafka.ClassUnreachable, "refused") })
		s.after(67 * time.Second)
		s.expectFired("unreachable", "prod")
		s.world.change(server, func(c *cluster) { c.err = kafka.NewError(kafka.ClassUnauthenticated, "wrong password") })
		s.after(longestPause)
		s.expectFired("unauthenticated", "prod")
		s.expectRefused("unauthenticated", "prod", kafka.ClassUnauthenticated)
	})
}

// New settings are proven before the old connection goes, and those who use the old one have time to end.
func TestRotation(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("old"))
		s.fired()
		s.ensure("prod", settings("new"))
		s.expectServes("rotated", "prod", "new")
		if diff := cmp.Diff([]string{"old", "new"}, s.world.connections()); diff != "" {
			s.Errorf("right after a rotation both are open (-want +got):\n%s", diff)
		}
		s.expectFired("rotated", "prod/")
		s.after(21 * time.Second)
		if diff := cmp.Diff([]string{"new"}, s.world.connections()); diff != "" {
			s.Errorf("a while after it (-want +got):\n%s", diff)
		}
	})
}

func TestNewSettingsThatDoNotWork(t *testing.T) {
	play(t, func(s *stage) {
		s.world.change(server, func(c *cluster) {
			c.refuse["wrong"] = kafka.NewError(kafka.ClassUnauthenticated, "SASL_AUTHENTICATION_FAILED")
		})
		s.ensure("prod", settings("old"))
		s.fired()
		for _, bad := range []string{"wrong", "unparsable"} {
			s.ensure("prod", settings(bad))
			state := s.expectPhase(bad, "prod", Connected)
			if state.RotationErr == nil || state.Err != nil {
				s.Errorf("%s: %+v", bad, state)
			}
			s.expectServes(bad, "prod", "old")
			s.expectFired(bad, "prod")
			if diff := cmp.Diff([]string{"old"}, s.world.connections()); diff != "" {
				s.Errorf("%s: the connection that did not work stays open (-want +got):\n%s", bad, diff)
			}
		}
		// The credentials may be on their way to the brokers: it is tried again, soon.
		s.ensure("prod", settings("wrong"))
		s.fired()
		s.world.change(server, func(c *cluster) { delete(c.refuse, "wrong") })
		s.after(longestPause)
		if state := s.expectPhase("accepted by now", "prod", Connected); state.RotationErr != nil {
			s.Errorf("%+v", state)
		}
		s.expectServes("accepted by now", "prod", "wrong")
		s.expectFired("accepted by now", "prod", "prod/")
	})
}

func TestSettingsThatAreTakenBack(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("old"))
		s.ensure("prod", settings("unparsable"))
		s.fired()
		s.ensure("prod", settings("old"))
		if state := s.expectPhase("taken back", "prod", Connected); state.RotationErr != nil {
			s.Errorf("%+v", state)
		}
		s.expectFired("taken back", "prod")
		if diff := cmp.Diff([]string{"old"}, s.world.connections()); diff != "" {
			s.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestSettingsThatCannotMakeAClient(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("unparsable"))
		s.expectPhase("unparsable", "prod", Failing)
		s.expectRefused("unparsable", "prod", kafka.ClassInvalid)
		s.ensure("prod", settings("good"))
		s.expectServes("good", "prod", "good")
	})
}

// Once a cluster's identity is known, another one behind the same servers gets no write (trap 4, for whole clusters).
func TestIdentityChanged(t *testing.T) {
	play(t, func(s *stage) {
		expecting := settings("a")
		expecting.ExpectedClusterID = "one"
		s.ensure("prod", expecting)
		s.expectServes("as expected", "prod", "a")
		s.fired()
		s.world.change(server, func(c *cluster) { c.id = "two" })
		s.after(67 * time.Second)
		state := s.expectPhase("another cluster", "prod", Failing)
		if state.Err == nil || !strings.Contains(state.Err.Error(), "answer as cluster two") || !strings.Contains(state.Err.Error(), "spec.acceptClusterID is two") {
			s.Errorf("%v", state.Err)
		}
		s.expectRefused("another cluster", "prod", kafka.ClassIdentityChanged)
		s.expectFired("another cluster", "prod")
		expecting.ExpectedClusterID = "two"
		s.ensure("prod", expecting)
		s.expectServes("accepted", "prod", "a")
	})
}

func TestIdentityIsCheckedBeforeTheFirstUse(t *testing.T) {
	play(t, func(s *stage) {
		expecting := settings("a")
		expecting.ExpectedClusterID = "zero"
		s.ensure("prod", expecting)
		s.expectRefused("a new process, and another cluster", "prod", kafka.ClassIdentityChanged)
		if open := s.world.connections(); len(open) > 0 {
			s.Errorf("%v", open)
		}
	})
	play(t, func(s *stage) {
		expecting := settings("a")
		expecting.ExpectedClusterID = "one"
		s.ensure("prod", expecting)
		s.world.mu.Lock()
		s.world.clusters["other:9092"] = &cluster{id: "two"}
		s.world.mu.Unlock()
		expecting.BootstrapServers = []string{"other:9092"}
		s.ensure("prod", expecting)
		state := s.expectPhase("moved to servers of another cluster", "prod", Connected)
		if kafka.ClassOf(state.RotationErr) != kafka.ClassIdentityChanged {
			s.Errorf("%+v", state)
		}
		s.expectServes("moved to servers of another cluster", "prod", "a")
	})
}

func TestRemove(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("a"))
		s.ensure("other", settings("b"))
		s.Remove("prod")
		synctest.Wait()
		s.expectPhase("removed", "prod", Unknown)
		s.expectRefused("removed", "prod", kafka.ClassNotConnected)
		if diff := cmp.Diff([]string{"b"}, s.world.connections()); diff != "" {
			s.Errorf("(-want +got):\n%s", diff)
		}
		s.expectServes("the other one", "other", "b")
		s.ensure("prod", settings("c"))
		s.expectServes("made again", "prod", "c")
	})
}

// A look that hangs ends, and nobody waits for it: one dead cluster never slows another.
func TestAClusterThatHangs(t *testing.T) {
	play(t, func(s *stage) {
		s.world.mu.Lock()
		s.world.clusters["tarpit:9092"] = &cluster{id: "tar", hang: true}
		s.world.mu.Unlock()
		hanging := settings("a")
		hanging.BootstrapServers = []string{"tarpit:9092"}
		s.ensure("tarpit", hanging)
		s.expectPhase("dialling", "tarpit", Connecting)
		s.expectRefused("dialling", "tarpit", kafka.ClassNotConnected)
		s.ensure("prod", settings("a"))
		s.expectServes("beside it", "prod", "a")
		s.after(21 * time.Second)
		state := s.expectPhase("timed out", "tarpit", Failing)
		if kafka.ClassOf(state.Err) != kafka.ClassUnreachable || !strings.Contains(state.Err.Error(), "no broker answered") {
			s.Errorf("a look has no unknown outcome: %v", state.Err)
		}
	})
}

// Remove and the end of the pool do not wait for a look that hangs.
func TestEndWhileALookHangs(t *testing.T) {
	play(t, func(s *stage) {
		s.world.change(server, func(c *cluster) { c.hang = true })
		s.ensure("prod", settings("a"))
		s.ensure("other", settings("b"))
		s.Remove("other")
		start := time.Now()
		s.stop()
		<-s.ended
		if took := time.Since(start); took != 0 {
			s.Errorf("it took %s", took)
		}
		s.expectFired("stopping, which is no failure")
	})
}

func TestInterval(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("a"))
		before := s.world.polls(server)
		s.after(time.Hour)
		if got := s.world.polls(server) - before; got < 54 || got > 67 {
			s.Errorf("%d looks in an hour, one a minute give or take a tenth", got)
		}
		often := settings("a")
		often.Interval = 10 * time.Second
		s.ensure("prod", often)
		before = s.world.polls(server)
		s.after(time.Minute)
		if got := s.world.polls(server) - before; got < 5 || got > 7 {
			s.Errorf("%d looks in a minute, one every ten seconds give or take a tenth", got)
		}
		often.Interval = 0
		s.ensure("prod", often)
		before = s.world.polls(server)
		s.after(5 * time.Minute)
		if got := s.world.polls(server) - before; got < 9 || got > 12 {
			s.Errorf("%d looks in five minutes, one every 30 s by default", got)
		}
		if s.world.dialled() != 1 {
			s.Errorf("%d dials: another interval needs no new client", s.world.dialled())
		}
	})
}

func TestWhatALookFindsIsPassedOn(t *testing.T) {
	play(t, func(s *stage) {
		s.ensure("prod", settings("a"))
		s.fired()
		tests := []struct {
			what    string
			changes franz.Changes
			want    []string
		}{
			{"nothing", franz.Changes{}, nil},
			{"two topics", franz.Changes{Topics: []string{"x", "y"}}, []string{"prod/x", "prod/y"}},
			{"the number of topics", franz.Changes{Info: true}, []string{"prod"}},
			{"a broker", franz.Changes{Info: true, Brokers: true, Topics: []string{"x"}}, []string{"prod", "prod/"}},
		}
		for _, tt := range tests {
			s.world.change(server, func(c *cluster) { c.changes = tt.changes })
			s.after(67 * time.Second)
			s.expectFired(tt.what, tt.want...)
		}
	})
}

// How old the view of each cluster is: a metric, and what the drift of a topic is worth.
func TestAges(t *testing.T) {
	play(t, func(s *stage) {
		s.world.mu.Lock()
		s.world.clusters["away:9092"] = &cluster{err: errors.New("?")}
		s.world.mu.Unlock()
		away := settings("a")
		away.BootstrapServers = []string{"away:9092"}
		s.ensure("away", away)
		s.ensure("prod", settings("a"))
		if ages := s.Ages(); len(ages) != 1 || ages["prod"] != 0 {
			s.Errorf("right after a look at one, and none at the other: %v", ages)
		}
		s.after(20 * time.Second)
		if ages := s.Ages(); ages["prod"] != 20*time.Second {
			s.Errorf("%v", ages)
		}
		s.world.change(server, func(c *cluster) { c.err = errors.New("?") })
		s.after(10 * time.Minute)
		if ages := s.Ages(); ages["prod"] < 10*time.Minute {
			s.Errorf("a look that fails makes the view no younger: %v", ages)
		}
		s.Remove("prod")
		if ages := s.Ages(); len(ages) != 0 {
			s.Errorf("%v", ages)
		}
	})
}

func TestForget(t *testing.T) {
	play(t, func(s *stage) {
		s.Pool.Forget("prod", "too early")
		s.ensure("prod", settings("a"))
		s.Pool.Forget("prod", "orders")
		admin, err := s.For("prod")
		if err != nil || !slices.Equal(admin.(*conn).forgotten, []string{"orders"}) {
			s.Errorf("%v, %v", admin, err)
		}
	})
}

// Hold is for a KafkaCluster whose Secret is missing: there is nothing to dial with, and a connection that stands goes on.
func TestHold(t *testing.T) {
	play(t, func(s *stage) {
		missing := errors.New("there is no Secret mooring-system/kafka")
		s.Hold("prod", missing)
		synctest.Wait()
		state := s.expectPhase("held", "prod", Failing)
		if state.Err == nil || state.Err.Error() != missing.Error() {
			s.Errorf("%v", state.Err)
		}
		s.expectRefused("held", "prod", kafka.ClassNotConnected)
		s.expectFired("held", "prod/")
		s.Hold("prod", missing)
		s.after(10 * time.Minute)
		s.expectFired("held for the same reason again")
		if s.world.dialled() != 0 {
			s.Errorf("%d dials without settings", s.world.dialled())
		}
		s.ensure("prod", settings("a"))
		s.expectServes("the Secret is there", "prod", "a")
		s.fired()
		s.Hold("prod", missing)
		s.after(10 * time.Minute)
		s.expectServes("the Secret is gone again", "prod", "a")
		s.expectFired("the Secret is gone again")
	})
}

// A cluster that was not reached yet is not dialled any more with the settings of a Secret that is gone; else the two
// reasons would take turns, and wake every topic each time.
func TestHoldOfAClusterThatIsAway(t *testing.T) {
	play(t, func(s *stage) {
		s.world.change(server, func(c *cluster) { c.err = kafka.NewError(kafka.ClassUnreachable, "refused") })
		s.ensure("prod", settings("a"))
		s.Hold("prod", errors.New("there is no Secret"))
		s.after(time.Second)
		s.fired()
		dials := s.world.dialled()
		s.after(10 * time.Minute)
		s.expectFired("held")
		s.expectRefused("held", "prod", kafka.ClassNotConnected)
		if s.world.dialled() != dials {
			s.Errorf("%d dials with settings that nobody wants", s.world.dialled()-dials)
		}
		s.world.change(server, func(c *cluster) { c.err = nil })
		s.ensure("prod", settings("a"))
		s.expectServes("the Secret is back, with the same settings", "prod", "a")
	})
}

// Sending never waits for the controllers, and what waits already is not added again.
func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed[string]()
		const items = 3000 // more than the channel holds
		for range 3 {
			for n := range items {
				f.send(fmt.Sprint(n))
			}
		}
		synctest.Wait()
		got := make(map[string]int)
		var order []string
		for len(got) < items {
			e := <-f.out
			got[e.Object]++
			order = append(order, e.Object)
		}
		synctest.Wait()
		for len(f.out) > 0 {
			got[(<-f.out).Object]++
		}
		if order[0] != "0" || order[1] != "1" {
			t.Errorf("out of order: %v", order[:5])
		}
		total := 0
		for _, n := range got {
			total += n
		}
		// What is in the channel counts as delivered, so a second send of it is a second event.
		if total > 3*items || total < items || got[fmt.Sprint(items-1)] != 1 {
			t.Errorf("%d events for %d items, %d of the last one", total, items, got[fmt.Sprint(items-1)])
		}
		f.send("again")
		synctest.Wait()
		if e := <-f.out; e.Object != "again" {
			t.Errorf("%v", e)
		}
	})
}

// The sources hand on to a queue of a controller what the feeds say.
func TestSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
		ctx, cancel := context.WithCancel(t.Context())
		clusters := s.Clusters(handler.TypedFuncs[string, reconcile.Request]{
			GenericFunc: func(_ context.Context, e event.TypedGenericEvent[string], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
				q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: e.Object}})
			},
		})
		topics := s.Topics(handler.TypedFuncs[TopicRef, reconcile.Request]{
			GenericFunc: func(_ context.Context, e event.TypedGenericEvent[TopicRef], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
				q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: e.Object.Cluster, Name: "topic:" + e.Object.Topic}})
			},
		})
		also := s.AlsoTopics(handler.TypedFuncs[TopicRef, reconcile.Request]{
			GenericFunc: func(_ context.Context, e event.TypedGenericEvent[TopicRef], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
				q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: e.Object.Cluster, Name: "also:" + e.Object.Topic}})
			},
		})
		for _, source := range []interface {
			Start(context.Context, workqueue.TypedRateLimitingInterface[reconcile.Request]) error
		}{clusters, topics, also} {
			if err := source.Start(ctx, queue); err != nil {
				t.Fatal(err)
			}
		}
		s.start()
		s.ensure("prod", settings("a"))
		got := make(map[string]bool)
		for range 3 {
			r, _ := queue.Get()
			got[r.String()] = true
			queue.Done(r)
		}
		if diff := cmp.Diff(map[string]bool{"/prod": true, "prod/topic:": true, "prod/also:": true}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		s.end()
		cancel()
		queue.ShutDown()
		synctest.Wait()
	})
}

// Everybody at once: for the race detector.
func TestManyAtOnce(t *testing.T) {
	play(t, func(s *stage) {
		var wait sync.WaitGroup
		for n := range 16 {
			wait.Go(func() {
				name := fmt.Sprint("c", n%4)
				for i := range 50 {
					switch i % 5 {
					case 0:
						s.Ensure(name, settings(fmt.Sprint(i%3)))
					case 1:
						if admin, err := s.For(name); err == nil {
							admin.Info()
						}
					case 2:
						s.State(name)
					case 3:
						s.Pool.Forget(name, "t")
					case 4:
						if i%20 == 4 {
							s.Remove(name)
						}
					}
					<-time.After(time.Second)
				}
			})
		}
		wait.Wait()
	})
}

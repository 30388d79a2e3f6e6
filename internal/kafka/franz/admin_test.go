package franz_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/kafkatest"
	"mooring.dev/mooring/internal/topic"
)

// What every kafka.Admin does is in the suite of kafkatest. Here is what goes wrong, and what it costs.

// on runs test with a fake cluster, in a bubble with fake time. A goroutine that outlives the Admin fails it.
func on(t *testing.T, test func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests), opts ...kfake.Opt) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := kafkatest.Start(t, opts...)
		sent := new(kafkatest.Requests)
		test(t, c, c.Admin(t, sent), sent)
	})
}

var keys = []string{"cleanup.policy", "min.insync.replicas", "retention.ms"}

func create(name string, partitions int32) topic.Create {
	return topic.Create{Name: name, Partitions: new(partitions), Replication: new(int16(1))}
}

// together calls do for every name at once, and returns the errors.
func together(names []string, do func(name string) error) map[string]error {
	var mu sync.Mutex
	var wait sync.WaitGroup
	errs := make(map[string]error)
	for _, name := range names {
		wait.Go(func() {
			err := do(name)
			mu.Lock()
			defer mu.Unlock()
			errs[name] = err
		})
	}
	wait.Wait()
	return errs
}

func names(prefix string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%s-%d", prefix, i))
	}
	return all
}

// expectOnly wants one name to fail with a class, and no other to fail.
func expectOnly(t *testing.T, errs map[string]error, bad string, want kafka.Class) {
	t.Helper()
	for name, err := range errs {
		if name == bad && kafka.ClassOf(err) != want {
			t.Errorf("%s: class %d, want %d: %v", name, kafka.ClassOf(err), want, err)
		}
		if name != bad && err != nil {
			t.Errorf("%s fails with another topic's error: %v", name, err)
		}
	}
}

// One broken topic never holds back another, whatever the request.
func TestOneTopicIsDenied(t *testing.T) {
	const bad = "t-7"
	type call func(ctx context.Context, a *franz.Admin, name string) error
	tests := map[string]struct {
		key  kmsg.Key
		call call
	}{
		"create": {kmsg.CreateTopics, func(ctx context.Context, a *franz.Admin, name string) error {
			_, err := a.Apply(ctx, name+"-new", create(name+"-new", 1))
			return err
		}},
		"grow": {kmsg.CreatePartitions, func(ctx context.Context, a *franz.Admin, name string) error {
			_, err := a.Apply(ctx, name, topic.Grow{Name: name, From: 1, To: 2})
			return err
		}},
		"configure": {kmsg.IncrementalAlterConfigs, func(ctx context.Context, a *franz.Admin, name string) error {
			_, err := a.Apply(ctx, name, topic.Configure{Name: name, Changes: []topic.Change{{Key: "retention.ms", To: new("1")}}})
			return err
		}},
		"look at the topic": {kmsg.Metadata, func(ctx context.Context, a *franz.Admin, name string) error {
			_, err := a.Observe(ctx, name, keys, kafka.After(a.Bump()))
			return err
		}},
		"look at its configuration": {kmsg.DescribeConfigs, func(ctx context.Context, a *franz.Admin, name string) error {
			_, err := a.Observe(ctx, name, keys, kafka.After(a.Bump()))
			return err
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
				for _, name := range names("t", 20) {
					if err := c.CreateTopic(name, 1, nil); err != nil {
						t.Fatal(err)
					}
				}
				denied := bad
				if tt.key == kmsg.CreateTopics {
					denied += "-new"
				}
				c.Deny(tt.key, denied)
				errs := together(names("t", 20), func(name string) error { return tt.call(t.Context(), a, name) })
				expectOnly(t, errs, bad, kafka.ClassUnauthorized)
			})
		})
	}
}

func TestOneRemoveIsDenied(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		all := names("t", 10)
		for _, name := range all {
			if err := c.CreateTopic(name, 1, nil); err != nil {
				t.Fatal(err)
			}
		}
		c.Deny(kmsg.DeleteTopics, "t-3")
		errs := together(all, func(name string) error {
			_, err := a.Apply(t.Context(), name, topic.Remove{Name: name, ID: c.TopicInfo(name).TopicID})
			return err
		})
		expectOnly(t, errs, "t-3", kafka.ClassUnauthorized)
		for _, name := range all {
			if there := c.TopicInfo(name) != nil; there != (name == "t-3") {
				t.Errorf("%s is there: %t", name, there)
			}
		}
	})
}

// The broker's word on each topic of one batch, as reconciles tell them apart.
func TestCodesOfOneTopic(t *testing.T) {
	tests := map[*kerr.Error]kafka.Class{
		kerr.TopicAlreadyExists:      kafka.ClassExists,
		kerr.PolicyViolation:         kafka.ClassPolicy,
		kerr.InvalidConfig:           kafka.ClassInvalidConfig,
		kerr.InvalidTopicException:   kafka.ClassInvalid,
		kerr.ThrottlingQuotaExceeded: kafka.ClassThrottled,
		kerr.RequestTimedOut:         kafka.ClassOutcomeUnknown,
		kerr.UnknownServerError:      kafka.ClassOutcomeUnknown,
	}
	for code, class := range tests {
		t.Run(code.Message, func(t *testing.T) {
			on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
				c.FailTopic(kmsg.CreateTopics, "t-2", code, -1)
				errs := together(names("t", 5), func(name string) error {
					_, err := a.Apply(t.Context(), name, create(name, 1))
					return err
				})
				expectOnly(t, errs, "t-2", class)
			})
		})
	}
}

// A time-out on create means "unknown" (trap 3): here the topic was made all the same, and the next look shows it.
func TestCreateTimesOutAndWasCarriedOut(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if o, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); err != nil || o.Exists() {
			t.Fatalf("%+v, %v", o, err)
		}
		c.FailTopic(kmsg.CreateTopics, "t", kerr.RequestTimedOut, 1)
		applied, err := a.Apply(t.Context(), "t", create("t", 3))
		if kafka.ClassOf(err) != kafka.ClassOutcomeUnknown {
			t.Fatalf("%v", err)
		}
		// The version moves on failure too, or the look from before the create would be taken for the truth.
		o, err := a.Observe(t.Context(), "t", keys, kafka.After(applied.Version))
		if err != nil || len(o.Partitions) != 3 {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

func TestNotControllerIsTriedAgain(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		fault := c.FailAll(kmsg.CreateTopics, kerr.NotController, 1)
		_, err := a.Apply(t.Context(), "t", create("t", 1))
		if err != nil && kafka.ClassOf(err) != kafka.ClassTransient {
			t.Fatalf("%v", err)
		}
		if fault.Hits() != 1 {
			t.Fatalf("the fault was met %d times", fault.Hits())
		}
		if err != nil {
			_, err = a.Apply(t.Context(), "t", create("t", 1))
		}
		if err != nil || c.TopicInfo("t") == nil {
			t.Errorf("%v", err)
		}
	})
}

func TestThrottlingSaysHowLong(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		c.Throttle(700)
		_, err := a.Apply(t.Context(), "t", create("t", 1))
		var e *kafka.Error
		if !errors.As(err, &e) || e.Class != kafka.ClassThrottled || e.RetryAfter != 700*time.Millisecond {
			t.Fatalf("%#v", err)
		}
		if sent := sent.Take(); sent["CreateTopics"] != 1 {
			t.Errorf("a quota that is used up was asked again at once: %v", sent)
		}
		if _, err := a.Apply(t.Context(), "t", create("t", 1)); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// KRaft refuses a request of too many partitions as a whole, each topic with POLICY_VIOLATION.
func TestWholeRequestRefusedIsSplit(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		c.LimitPartitions(10)
		all := append(names("t", 24), "huge")
		errs := together(all, func(name string) error {
			partitions := int32(3)
			if name == "huge" {
				partitions = 11
			}
			_, err := a.Apply(t.Context(), name, create(name, partitions))
			return err
		})
		expectOnly(t, errs, "huge", kafka.ClassPolicy)
		if !strings.Contains(errs["huge"].Error(), "Excessively large number of partitions") {
			t.Errorf("the broker's words are lost: %v", errs["huge"])
		}
		if got := sent.Take()["CreateTopics"]; got < 8 || got > 40 {
			t.Errorf("%d requests", got)
		}
	})
}

// What the limit is for: no request is above it in the first place.
func TestBatchesStayWithinTheBrokersLimit(t *testing.T) {
	tests := map[string]struct {
		key  kmsg.Key
		each int // records of one step
		step func(name string) topic.Step
		sum  func(r kmsg.Request) int
	}{
		"create": {kmsg.CreateTopics, 1501,
			func(name string) topic.Step { return create(name, 1500) },
			func(r kmsg.Request) (sum int) {
				for _, t := range r.(*kmsg.CreateTopicsRequest).Topics {
					sum += 1 + int(t.NumPartitions) + len(t.Configs)
				}
				return sum
			}},
		"create small topics with many keys": {kmsg.CreateTopics, 502,
			func(name string) topic.Step {
				s := create(name, 1)
				s.Config = make(map[string]string)
				for i := range 500 {
					s.Config[fmt.Sprint("key", i)] = "1"
				}
				return s
			},
			func(r kmsg.Request) (sum int) {
				for _, t := range r.(*kmsg.CreateTopicsRequest).Topics {
					sum += 1 + int(t.NumPartitions) + len(t.Configs)
				}
				return sum
			}},
		"configure": {kmsg.IncrementalAlterConfigs, 500,
			func(name string) topic.Step {
				return topic.Configure{Name: name, Changes: slices.Repeat([]topic.Change{{Key: "retention.ms", To: new("1")}}, 500)}
			},
			func(r kmsg.Request) (sum int) {
				for _, t := range r.(*kmsg.IncrementalAlterConfigsRequest).Resources {
					sum += len(t.Configs)
				}
				return sum
			}},
		"grow": {kmsg.CreatePartitions, 1500,
			func(name string) topic.Step { return topic.Grow{Name: name, From: 500, To: 2000} },
			func(r kmsg.Request) (sum int) {
				for _, t := range r.(*kmsg.CreatePartitionsRequest).Topics {
					sum += int(t.Count) - 500
				}
				return sum
			}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
				var mu sync.Mutex
				var sums []int
				c.ControlKey(int16(tt.key), func(r kmsg.Request) (kmsg.Response, error, bool) {
					c.KeepControl()
					mu.Lock()
					defer mu.Unlock()
					sums = append(sums, tt.sum(r))
					return agree(r), nil, true
				})
				errs := together(names("t", 40), func(name string) error {
					_, err := a.Apply(t.Context(), name, tt.step(name))
					return err
				})
				expectOnly(t, errs, "", 0)
				total := 0
				for _, sum := range sums {
					total += sum
					if sum > 10_000 {
						t.Errorf("a request of %d records", sum)
					}
				}
				if total != 40*tt.each || len(sums) > 35 {
					t.Errorf("%d records in %d requests: %v", total, len(sums), sums)
				}
			})
		})
	}
}

// agree answers yes without doing anything.
func agree(r kmsg.Request) kmsg.Response {
	switch req := r.(type) {
	case *kmsg.CreateTopicsRequest:
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, t := range req.Topics {
			resp.Topics = append(resp.Topics, kmsg.CreateTopicsResponseTopic{Topic: t.Topic, TopicID: [16]byte{1}})
		}
		return resp
	case *kmsg.CreatePartitionsRequest:
		resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
		for _, t := range req.Topics {
			resp.Topics = append(resp.Topics, kmsg.CreatePartitionsResponseTopic{Topic: t.Topic})
		}
		return resp
	}
	if req, is := r.(*kmsg.IncrementalAlterConfigsRequest); is {
		resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
		for _, t := range req.Resources {
			resp.Resources = append(resp.Resources, kmsg.IncrementalAlterConfigsResponseResource{ResourceType: t.ResourceType, ResourceName: t.ResourceName})
		}
		return resp
	}
	panic(fmt.Sprintf("no answer to %T", r))
}

// A thousand topics, 512 workers: what the whole design is for.
func TestAThousandCreatesNeedFewRequests(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.Metadata} {
			c.Delay(key, 10*time.Millisecond)
		}
		all := names("t", 1000)
		var next atomic.Int32
		var wait sync.WaitGroup
		for range 512 {
			wait.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= len(all) {
						return
					}
					name := all[i]
					applied, err := a.Apply(t.Context(), name, create(name, 1))
					if err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					o, err := a.Observe(t.Context(), name, keys, kafka.After(applied.Version))
					if err != nil || o.ID != applied.ID || len(o.Config) != len(keys) {
						t.Errorf("%s: %+v, %v", name, o, err)
					}
				}
			})
		}
		wait.Wait()
		counts := sent.Take()
		t.Logf("1,000 creates and 1,000 looks, 512 workers: %v", counts)
		if counts["CreateTopics"] > 10 || kafkatest.Total(counts) > 60 {
			t.Errorf("too many requests: %v", counts)
		}
		// And the drift sweep over all of them: one of each, however many topics there are.
		if _, err := a.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent.Take()
		if _, err := a.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if counts := sent.Take(); kafkatest.Total(counts) > 4 {
			t.Errorf("a poll over 1,000 topics sent %v", counts)
		}
		for _, name := range all {
			if _, err := a.Observe(t.Context(), name, keys, kafka.Cached()); err != nil {
				t.Fatal(err)
			}
		}
		if counts := sent.Take(); kafkatest.Total(counts) != 0 {
			t.Errorf("1,000 reconciles of converged topics sent %v", counts)
		}
	})
}

// A broker that takes a request and never answers: the call ends, says that the outcome is unknown, and the next one works.
func TestABrokerThatNeverAnswers(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if _, err := a.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.ControlKey(int16(kmsg.CreateTopics), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			return nil, nil, true // silence
		})
		start := time.Now()
		_, err := a.Apply(t.Context(), "t", create("t", 1))
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
		if class := kafka.ClassOf(err); class != kafka.ClassOutcomeUnknown {
			t.Errorf("class %d: %v", class, err)
		}
	})
}

func TestACallerGivesUpBeforeTheBroker(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		release := make(chan struct{})
		c.ControlKey(int16(kmsg.CreateTopics), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.SleepControl(func() { <-release })
			return nil, nil, false
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := a.Apply(ctx, "t", create("t", 1))
		if kafka.ClassOf(err) != kafka.ClassOutcomeUnknown {
			t.Errorf("%v", err)
		}
		close(release)
		synctest.Wait()
		if c.TopicInfo("t") == nil {
			t.Error("the batch did not go on without its caller")
		}
	})
}

func TestAConnectionThatIsCut(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		for range 5 { // over the connection of the bootstrap server first, and then over the broker's own
			if _, err := a.Observe(t.Context(), "t", keys, kafka.After(a.Bump())); err != nil {
				t.Fatal(err)
			}
		}
		c.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
			return nil, errors.New("cut"), true
		})
		if _, err := a.Observe(t.Context(), "t", keys, kafka.After(a.Bump())); err != nil {
			t.Errorf("one cut connection is nobody's error: %v", err)
		}
	}, kfake.NumBrokers(1), kfake.Ports(19091))
}

func TestAClosedAdmin(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		a.Close()
		if _, err := a.Apply(t.Context(), "t", create("t", 1)); kafka.ClassOf(err) != kafka.ClassTransient {
			t.Errorf("apply: %v", err)
		}
		if _, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); kafka.ClassOf(err) != kafka.ClassTransient {
			t.Errorf("observe: %v", err)
		}
		if _, err := a.Poll(t.Context()); err == nil {
			t.Error("poll: no error")
		}
	})
}

// Every error is a *kafka.Error, also those of the library.
func TestErrorsOfTheNetworkAreClassified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := franz.NewClient(kafka.Settings{BootstrapServers: []string{"localhost:1"}}, kgo.Dialer(new(kfake.VirtualNetwork).DialContext))
		if err != nil {
			t.Fatal(err)
		}
		a := franz.New(client, nil)
		defer a.Close()
		start := time.Now()
		calls := map[string]func() error{
			"observe":            func() error { _, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); return err },
			"apply":              func() error { _, err := a.Apply(t.Context(), "t", create("t", 1)); return err },
			"validate create":    func() error { return a.Validate(t.Context(), "t", create("t", 1)) },
			"validate grow":      func() error { return a.Validate(t.Context(), "t", topic.Grow{Name: "t", From: 1, To: 2}) },
			"validate configure": func() error { return a.Validate(t.Context(), "t", topic.Configure{Name: "t"}) },
			"records":            func() error { _, err := a.Records(t.Context(), "t"); return err },
			"poll":               func() error { _, err := a.Poll(t.Context()); return err },
		}
		for name, call := range calls {
			err := call()
			var e *kafka.Error
			if !errors.As(err, &e) {
				t.Errorf("%s: %T %v", name, err, err)
			}
		}
		if took := time.Since(start) / time.Duration(len(calls)); took > 15*time.Second {
			t.Errorf("a call to nobody takes %s", took)
		}
	})
}

type unknownStep struct{ topic.Step }

func (unknownStep) Lines() []string { return []string{"?"} }

func TestAStepThatNobodyKnows(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if _, err := a.Apply(t.Context(), "t", unknownStep{}); kafka.ClassOf(err) != kafka.ClassUnsupported {
			t.Errorf("%v", err)
		}
	})
}

// A principal that may not describe the cluster cannot see reassignments, and has everything else.
func TestReassignmentsMayBeHidden(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if err := c.CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListPartitionReassignments}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed, Count: -1})
		if o, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); err != nil || !o.Exists() {
			t.Errorf("%+v, %v", o, err)
		}
	})
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if err := c.CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListPartitionReassignments}, TopLevel: true, Err: kerr.PolicyViolation, Count: -1})
		if _, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); kafka.ClassOf(err) != kafka.ClassPolicy {
			t.Errorf("any other error is one: %v", err)
		}
	})
}

func TestReassignmentsInFlightAreSeen(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if err := c.CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		c.ControlKey(int16(kmsg.ListPartitionReassignments), func(r kmsg.Request) (kmsg.Response, error, bool) {
			resp := r.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
			resp.Topics = []kmsg.ListPartitionReassignmentsResponseTopic{{Topic: "t", Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{
				{Partition: 0, AddingReplicas: []int32{2}, RemovingReplicas: []int32{0}},
			}}}
			return resp, nil, true
		})
		o, err := a.Observe(t.Context(), "t", keys, kafka.Cached())
		if err != nil || !o.Partitions[0].Moving() || slices.Contains(o.Partitions[0].Target(), 0) {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// Deleted between the two requests of a look: absent, and no error.
func TestATopicThatGoesDuringALook(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if err := c.CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		c.FailTopic(kmsg.DescribeConfigs, "t", kerr.UnknownTopicOrPartition, 1)
		v := a.Bump()
		o, err := a.Observe(t.Context(), "t", keys, kafka.After(v))
		if err != nil || o.Exists() || o.At < v {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// A denied look is not "absent" (trap 14), and what was seen before is not thrown away.
func TestADeniedLookIsNotRemembered(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if err := c.CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); err != nil {
			t.Fatal(err)
		}
		fault := c.Deny(kmsg.DescribeConfigs, "t")
		if _, err := a.Observe(t.Context(), "t", keys, kafka.After(a.Bump())); kafka.ClassOf(err) != kafka.ClassUnauthorized {
			t.Errorf("%v", err)
		}
		if changes, err := a.Poll(t.Context()); err != nil || len(changes.Topics) > 0 {
			t.Errorf("a poll with one denied topic: %+v, %v", changes, err)
		}
		fault.Remove()
		if o, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); err != nil || len(o.Config) != len(keys) {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

// A look that began before a write, and ended after it, does not answer for what came after.
func TestALookThatBeganBeforeAWriteIsNotTheAnswer(t *testing.T) {
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		if err := c.CreateTopic("t", 1, nil); err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		c.ControlKey(int16(kmsg.DescribeConfigs), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.SleepControl(func() { <-release })
			return nil, nil, false
		})
		slow := make(chan topic.Version)
		go func() {
			o, _ := a.Observe(t.Context(), "t", keys, kafka.After(a.Bump()))
			slow <- o.At
		}()
		synctest.Wait()
		v := a.Bump() // a write landed
		fast := make(chan topic.Version)
		go func() {
			o, err := a.Observe(t.Context(), "t", keys, kafka.After(v))
			if err != nil {
				t.Error(err)
			}
			fast <- o.At
		}()
		synctest.Wait()
		close(release)
		if at := <-slow; at >= v {
			t.Errorf("the look from before says %d, and the write was %d", at, v)
		}
		if at := <-fast; at < v {
			t.Errorf("asked for %d or later, and got %d", v, at)
		}
		if o, err := a.Observe(t.Context(), "t", keys, kafka.Cached()); err != nil || o.At < v {
			t.Errorf("the older look replaced the newer one: %d, %v", o.At, err)
		}
	})
}

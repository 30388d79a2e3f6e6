package kafkatest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/topic"
)

// Admin is what the suite tests: what the pool holds for each cluster.
type Admin interface {
	kafka.Admin
	Poll(ctx context.Context) (franz.Changes, error)
	Close()
}

// Subject is one cluster with the Admin under test.
type Subject struct {
	// Admin makes an Admin on a client of its own with these hooks. It is closed with the test.
	Admin func(t testing.TB, hooks ...kgo.Hook) Admin
	// Client makes a plain client: somebody else, who changes the cluster behind the Admin's back.
	Client func(t testing.TB) *kgo.Client
	// Brokers that the cluster has.
	Brokers int
	// Patience is how long brokers may take to show a change. Default 20 s.
	Patience time.Duration

	Capabilities
}

// Capabilities are where clusters differ. Apache Kafka has all of them; kfake has none.
type Capabilities struct {
	// ChecksConfigs: an unknown key or a bad value is refused with INVALID_CONFIG. kfake takes any.
	ChecksConfigs bool
	// ChecksNames: a name that Kafka does not allow is refused with INVALID_TOPIC_EXCEPTION. kfake takes any.
	ChecksNames bool
	// RefusesEqualGrowth: CreatePartitions to the present number is refused with INVALID_PARTITIONS. kfake says yes.
	RefusesEqualGrowth bool
	// ParsesValues: values come back as the broker spells them, "0.50" as "0.5". kfake gives back what it was given.
	ParsesValues bool
}

// RunAdminSuite tests what reconciles rely on. run calls test with a Subject, in a synctest bubble where the cluster is fake.
func RunAdminSuite(t *testing.T, run func(t *testing.T, test func(t *testing.T, s Subject))) {
	tests := map[string]func(*scene){
		"an absent topic is no error":                        absentTopic,
		"a topic is created as it was asked for":             createAsAsked,
		"what is left out is the broker's to decide":         createWithDefaults,
		"a topic that exists is not created again":           createTwice,
		"what the broker refuses is told in its words":       createRefused,
		"partitions grow":                                    grow,
		"configuration is set and reset":                     configure,
		"configuration that the broker refuses":              configureRefused,
		"values come back in the broker's spelling":          spelling,
		"a topic is removed by its ID":                       remove,
		"validate changes nothing":                           validate,
		"validate finds what the broker would refuse":        validateRefused,
		"records are counted":                                records,
		"bytes of replicas are told":                         sizes,
		"a cached look costs nothing":                        cachedLook,
		"all keys, or those that are asked for":              keysOfLook,
		"a poll finds what others changed":                   pollFindsChanges,
		"a poll tells of the cluster":                        pollTellsOfTheCluster,
		"a forgotten topic is not looked at":                 forget,
		"a survey sees names and prefixes":                   surveyNamesAndPrefixes,
		"a survey shares the looks of others":                surveyShares,
		"a survey is told of what changes":                   surveyChanges,
		"a quota is set and removed, and no other":           quotas,
		"many calls at once need few requests":               manyCalls,
		"one topic's error is no other's, in the same batch": mixedBatch,
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, s Subject) { tests[name](newScene(t, s)) })
		})
	}
}

// scene is one test: an Admin, and what it has sent.
type scene struct {
	*testing.T
	Subject
	admin Admin
	sent  *Requests
	// other is somebody else.
	other *kgo.Client
}

func newScene(t *testing.T, s Subject) *scene {
	if s.Patience == 0 {
		s.Patience = 20 * time.Second
	}
	sent := new(Requests)
	return &scene{T: t, Subject: s, admin: s.Admin(t, sent), sent: sent, other: s.Client(t)}
}

// name is a topic name that nobody else uses, on a cluster that others use too. The topic is removed with the test.
func (s *scene) name(hint string) string {
	name := fmt.Sprintf("mooring-suite-%s-%08x", hint, rand.Uint32())
	admin := kadm.NewClient(s.other)
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
		defer cancel()
		_, _ = admin.DeleteTopics(ctx, name)
	})
	return name
}

func (s *scene) apply(name string, step topic.Step) kafka.Applied {
	s.Helper()
	applied, err := s.admin.Apply(s.Context(), name, step)
	if err != nil {
		s.Fatalf("%s: %v", step.Lines(), err)
	}
	return applied
}

func (s *scene) observe(name string, keys []string, f kafka.Freshness) topic.Observed {
	s.Helper()
	o, err := s.admin.Observe(s.Context(), name, keys, f)
	if err != nil {
		s.Fatalf("observe %s: %v", name, err)
	}
	return o
}

// settled looks until the brokers show it: they learn of a change one by one.
func (s *scene) settled(name string, keys []string, shows func(topic.Observed) bool) topic.Observed {
	s.Helper()
	deadline := time.Now().Add(s.Patience)
	for {
		o := s.observe(name, keys, kafka.After(s.admin.Bump()))
		if shows(o) {
			return o
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s does not show it after %s: %+v", name, s.Patience, o)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// created makes a topic and waits until it shows.
func (s *scene) created(hint string, partitions int32, config map[string]string) (string, topic.Observed) {
	s.Helper()
	name := s.name(hint)
	step := topic.Create{Name: name, Partitions: new(partitions), Replication: new(int16(s.Brokers)), Config: config}
	applied := s.apply(name, step)
	return name, s.settled(name, someKeys, func(o topic.Observed) bool { return topic.Settled(step, o, applied.ID) })
}

// someKeys are keys that every cluster knows.
var someKeys = []string{"cleanup.policy", "min.insync.replicas", "retention.ms"}

func (s *scene) expectClass(err error, want kafka.Class, doing string) {
	s.Helper()
	if err == nil {
		s.Errorf("%s: no error, want class %d", doing, want)
		return
	}
	if got := kafka.ClassOf(err); got != want {
		s.Errorf("%s: class %d, want %d: %v", doing, got, want, err)
	}
}

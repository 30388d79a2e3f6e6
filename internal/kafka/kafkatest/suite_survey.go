package kafkatest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kadm"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/principal"
	"mooring.dev/mooring/internal/topic"
)

var surveyKeys = []string{topic.KeyMinInsyncReplicas, "max.message.bytes"}

func (s *scene) survey(observer string, i kafka.Interest) map[string]kafka.Sighting {
	s.Helper()
	i.Keys = surveyKeys
	found, err := s.admin.Survey(s.Context(), observer, i)
	if err != nil {
		s.Fatalf("survey: %v", err)
	}
	for name, sighting := range found {
		if sighting.Err != nil {
			s.Fatalf("survey of %s: %v", name, sighting.Err)
		}
	}
	return found
}

// eventually asks again and again for as long as brokers may take to show a change.
func (s *scene) eventually(what string, is func() bool) {
	s.Helper()
	end := time.After(s.Patience)
	for !is() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-end:
			s.Fatalf("after %s it is not so: %s", s.Patience, what)
		}
	}
}

func surveyNamesAndPrefixes(s *scene) {
	there, _ := s.created("survey", 2, nil)
	absent := s.name("absent")
	s.poll()
	found := s.survey("one", kafka.Interest{Names: []string{absent}, Prefixes: []string{there[:len(there)-2]}})
	if !found[there].Exists() || len(found[there].Partitions) != 2 {
		s.Errorf("the prefix does not stand for %s: %v", there, found)
	}
	if _, ok := found[there].Value("max.message.bytes"); !ok {
		s.Error("the keys were not asked for")
	}
	if sighting, ok := found[absent]; !ok || sighting.Exists() {
		s.Errorf("%s is not there: %v", absent, found)
	}
}

func surveyShares(s *scene) {
	var names []string
	for range 20 {
		name, _ := s.created("shared", 1, nil)
		names = append(names, name)
	}
	s.poll()
	s.sent.Take()
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() { s.survey(fmt.Sprint("profile ", i), kafka.Interest{Names: names}) })
	}
	group.Wait()
	if n := Total(s.sent.Take()); n > 15 {
		s.Errorf("50 surveys of the same 20 topics took %d requests", n)
	}
	s.survey("profile 0", kafka.Interest{Names: names})
	// A topic that somebody changes is looked at with the keys that its watchers want, so that they need not look again.
	if _, err := s.admin.Observe(s.Context(), names[0], []string{topic.KeyCleanupPolicy}, kafka.After(s.admin.Bump())); err != nil {
		s.Fatal(err)
	}
	s.sent.Take()
	s.survey("profile 0", kafka.Interest{Names: names})
	if n := Total(s.sent.Take()); n != 0 {
		s.Errorf("a second survey took %d requests", n)
	}
}

func surveyChanges(s *scene) {
	name, _ := s.created("watched", 1, nil)
	s.poll()
	prefix := name[:len(name)-2]
	s.survey("one", kafka.Interest{Prefixes: []string{prefix}})
	s.admin.Forget(name) // whoever manages it does not any more, and the survey goes on
	admin := kadm.NewClient(s.other)
	eventually := func(what, want string, is bool) {
		s.Helper()
		s.eventually(what, func() bool { return slices.Contains(s.poll().Topics, want) == is })
	}
	value := "100"
	if _, err := admin.AlterTopicConfigs(s.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &value}}, name); err != nil {
		s.Fatal(err)
	}
	eventually("a changed key is news", name, true)
	eventually("and news once", name, false)

	second := prefix + "-second"
	if resp, err := admin.CreateTopic(s.Context(), 1, 1, nil, second); err != nil || resp.Err != nil {
		s.Fatal(err, resp.Err)
	}
	eventually("a topic that appears under the prefix is news", second, true)
	if found := s.survey("one", kafka.Interest{Prefixes: []string{prefix}}); !found[second].Exists() {
		s.Errorf("the next survey does not see %s: %v", second, found)
	}
	if _, err := admin.DeleteTopic(s.Context(), second); err != nil {
		s.Fatal(err)
	}
	eventually("a topic that goes is news", second, true)
	if found := s.survey("one", kafka.Interest{Prefixes: []string{prefix}}); found[second].Exists() {
		s.Errorf("the next survey sees %s, which is gone", second)
	}

	s.admin.Leave("one")
	s.sent.Take()
	s.poll()
	if sent := s.sent.Take(); sent["DescribeConfigs"] != 0 {
		s.Errorf("nobody is interested any more, and a poll asks for configuration: %v", sent)
	}
}

func quotas(s *scene) {
	user := principal.Entity{User: s.name("user")}
	both := principal.Entity{User: user.User, ClientID: "c"}
	set := func(e principal.Entity, key string, value *float64) {
		s.Helper()
		step := principal.SetQuota{Entity: e, Changes: []principal.QuotaChange{{Key: key, To: value}}}
		if err := s.admin.ApplyPrincipal(s.Context(), step); err != nil {
			s.Fatalf("%s: %v", step.Lines()[0], err)
		}
	}
	expect := func(what string, want map[principal.Entity]principal.Limits) {
		s.Helper()
		var diff string
		s.eventually(what, func() bool {
			seen, err := s.admin.ObservePrincipals(s.Context(), []principal.Entity{user, both}, nil)
			if err != nil {
				s.Fatal(err)
			}
			diff = cmp.Diff(want, seen.Quotas, cmpopts.EquateEmpty())
			return diff == ""
		})
	}
	expect("there is none", map[principal.Entity]principal.Limits{user: nil, both: nil})
	set(user, principal.KeyProducerByteRate, new(1048576.0))
	set(both, principal.KeyRequestPercentage, new(50.0))
	expect("each entity has its own", map[principal.Entity]principal.Limits{
		user: {principal.KeyProducerByteRate: 1048576}, both: {principal.KeyRequestPercentage: 50},
	})
	set(user, principal.KeyProducerByteRate, nil)
	set(user, principal.KeyProducerByteRate, nil) // to remove what is gone is no error
	expect("the other stays", map[principal.Entity]principal.Limits{user: nil, both: {principal.KeyRequestPercentage: 50}})
	set(both, principal.KeyRequestPercentage, nil)
}

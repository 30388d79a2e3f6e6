package principal_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/principal"
)

func write(name string) principal.ACL {
	return principal.ACL{Principal: "User:a", Host: principal.AnyHost, Resource: principal.ResourceTopic, Pattern: principal.Literal, Name: name, Operation: principal.Write}
}

func quota(user string, rate float64) *principal.Quota {
	return &principal.Quota{Entity: principal.Entity{User: user}, Limits: principal.Limits{principal.KeyProducerByteRate: rate}}
}

func held(quotas ...*principal.Quota) principal.Observed {
	o := principal.Observed{Quotas: make(map[principal.Entity]principal.Limits)}
	for _, q := range quotas {
		o.Quotas[q.Entity] = q.Limits
	}
	return o
}

func holding(acls ...principal.ACL) principal.Observed { return principal.Observed{ACLs: acls} }

func TestPlan(t *testing.T) {
	x, y := write("x"), write("y")
	foreign := x
	foreign.Host = "10.0.0.1"
	deny := x
	deny.Deny = true
	tests := map[string]struct {
		reason   string
		desired  principal.Desired
		seen     principal.Observed
		own      principal.Owned
		siblings principal.Siblings
		lines    []string
		settled  principal.Owned
		refused  string
		note     string
		awaited  int
	}{
		"nothing wanted, nothing there": {reason: "there is nothing to do"},
		"a quota that is not there": {reason: "it is set, and ours",
			desired: principal.Desired{Quota: quota("a", 10)}, seen: held(),
			lines: []string{"set the quota producer_byte_rate of user a to 10"}, settled: principal.Owned{Quota: quota("a", 10)}},
		"a quota of ours that somebody changed": {reason: "it is put back",
			desired: principal.Desired{Quota: quota("a", 10)}, seen: held(quota("a", 5)), own: principal.Owned{Quota: quota("a", 10)},
			lines: []string{"set the quota producer_byte_rate of user a to 10"}, settled: principal.Owned{Quota: quota("a", 10)}},
		"a quota of somebody else's": {reason: "it is not ours to change",
			desired: principal.Desired{Quota: quota("a", 10)}, seen: held(quota("a", 5)), refused: "already, which this profile did not set"},
		"an equal quota of somebody else's": {reason: "it is as it should be, and not ours to remove",
			desired: principal.Desired{Quota: quota("a", 10)}, seen: held(quota("a", 10))},
		"a quota that is not wanted any more": {reason: "what is ours goes",
			seen: held(quota("a", 10)), own: principal.Owned{Quota: quota("a", 10)},
			lines: []string{"remove the quota producer_byte_rate of user a"}},
		"a quota of ours that is gone already": {reason: "there is nothing to remove",
			seen: held(), own: principal.Owned{Quota: quota("a", 10)}},
		"a quota for another user": {reason: "the old one goes first, because the claim holds one entity",
			desired: principal.Desired{Quota: quota("b", 10)}, seen: held(quota("a", 10)), own: principal.Owned{Quota: quota("a", 10)},
			lines: []string{"remove the quota producer_byte_rate of user a"}},
		"an ACL that is not there": {reason: "it is granted, and ours",
			desired: principal.Desired{ACLs: []principal.ACL{x}},
			lines:   []string{"allow WRITE on TOPIC x to User:a"}, settled: principal.Owned{ACLs: []principal.ACL{x}}},
		"an ACL of somebody else's that is the same": {reason: "it does, and is not ours to delete",
			desired: principal.Desired{ACLs: []principal.ACL{x}}, seen: holding(x)},
		"an ACL of somebody else's for one host": {reason: "it is another one, and ours is granted beside it",
			desired: principal.Desired{ACLs: []principal.ACL{x}}, seen: holding(foreign),
			lines: []string{"allow WRITE on TOPIC x to User:a"}, settled: principal.Owned{ACLs: []principal.ACL{x}}},
		"an ACL that is not wanted any more": {reason: "ours goes, and the other's stays",
			seen: holding(x, y), own: principal.Owned{ACLs: []principal.ACL{x}},
			lines: []string{"no longer allow WRITE on TOPIC x to User:a"}},
		"another topic": {reason: "the new one is allowed before the old one is not",
			desired: principal.Desired{ACLs: []principal.ACL{y}}, seen: holding(x), own: principal.Owned{ACLs: []principal.ACL{x}},
			lines:   []string{"allow WRITE on TOPIC y to User:a", "no longer allow WRITE on TOPIC x to User:a"},
			settled: principal.Owned{ACLs: []principal.ACL{y}}},
		"an ACL that another profile made": {reason: "it is ours as well, so that it goes with the last of us",
			desired: principal.Desired{ACLs: []principal.ACL{x}}, seen: holding(x), siblings: principal.Siblings{Owned: []principal.ACL{x}},
			settled: principal.Owned{ACLs: []principal.ACL{x}}},
		"an ACL that another profile has taken over": {reason: "its producers write on",
			seen: holding(x), own: principal.Owned{ACLs: []principal.ACL{x}},
			siblings: principal.Siblings{Owned: []principal.ACL{x}, Kept: []principal.ACL{x}, Taken: []principal.ACL{x}}},
		"an ACL that another profile has yet to take over": {reason: "until it has, nobody else knows whose it is",
			seen: holding(x), own: principal.Owned{ACLs: []principal.ACL{x}}, siblings: principal.Siblings{Kept: []principal.ACL{x}},
			awaited: 1, settled: principal.Owned{ACLs: []principal.ACL{x}}},
		"an ACL that another profile has, and does not want": {reason: "both are going, and one of them has to delete it",
			seen: holding(x), own: principal.Owned{ACLs: []principal.ACL{x}}, siblings: principal.Siblings{Owned: []principal.ACL{x}},
			lines: []string{"no longer allow WRITE on TOPIC x to User:a"}},
		"a DENY": {reason: "it is stronger, and may be meant so",
			desired: principal.Desired{ACLs: []principal.ACL{x}}, seen: holding(x, deny), own: principal.Owned{ACLs: []principal.ACL{x}},
			note: "deny WRITE on TOPIC x to User:a", settled: principal.Owned{ACLs: []principal.ACL{x}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plan := principal.MakePlan(tt.desired, tt.seen, tt.own, tt.siblings)
			if diff := cmp.Diff(tt.lines, plan.Lines(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.settled, plan.Settled, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: what is ours then (-want +got):\n%s", tt.reason, diff)
			}
			if (tt.refused == "") != (len(plan.Refusals) == 0) || (tt.refused != "" && !strings.Contains(plan.Refusals[0].Message, tt.refused)) {
				t.Errorf("%s: refusals %v, want %q", tt.reason, plan.Refusals, tt.refused)
			}
			if tt.refused != "" && plan.Refusals[0].Reason != v1alpha1.ReasonQuotaExists {
				t.Errorf("%s: reason %s", tt.reason, plan.Refusals[0].Reason)
			}
			if (tt.note == "") != (len(plan.Notes) == 0) || (tt.note != "" && !strings.Contains(plan.Notes[0], tt.note)) {
				t.Errorf("%s: notes %q, want %q", tt.reason, plan.Notes, tt.note)
			}
			if len(plan.Awaited) != tt.awaited {
				t.Errorf("%s: awaits %v, want %d", tt.reason, plan.Awaited, tt.awaited)
			}
		})
	}
}

func TestADenyReachesWhatItCovers(t *testing.T) {
	prefixed := func(name string) principal.ACL {
		a := write(name)
		a.Pattern = principal.Prefixed
		return a
	}
	tests := map[string]struct {
		reason     string
		deny, want principal.ACL
		covers     bool
	}{
		"the same topic":           {"it is that one", write("orders"), write("orders"), true},
		"another topic":            {"it is not that one", write("payments"), write("orders"), false},
		"every topic":              {"* is every name", write("*"), write("orders"), true},
		"a prefix of the topic":    {"its name begins so", prefixed("ord"), write("orders"), true},
		"a prefix of the prefix":   {"all of them begin so", prefixed("ord"), prefixed("orders-"), true},
		"a longer prefix":          {"some of them begin so", prefixed("orders-eu"), prefixed("orders-"), true},
		"one topic of the prefix":  {"one of them is denied", write("orders-eu"), prefixed("orders-"), true},
		"a topic beside a prefix":  {"none of them is", write("payments"), prefixed("orders-"), false},
		"a prefix beside the name": {"its name begins otherwise", prefixed("pay"), write("orders"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, operation := range []principal.Operation{principal.Write, principal.All, principal.Describe} {
				deny := tt.deny
				deny.Deny, deny.Operation = true, operation
				plan := principal.MakePlan(principal.Desired{ACLs: []principal.ACL{tt.want}}, holding(deny), principal.Owned{}, principal.Siblings{})
				want := tt.covers && operation != principal.Describe
				if got := len(plan.Notes) > 0; got != want {
					t.Errorf("%s, %s: %t, want %t", tt.reason, operation, got, want)
				}
			}
		})
	}
}

// model is a cluster that carries steps out.
type model struct {
	quotas map[principal.Entity]principal.Limits
	acls   []principal.ACL
}

func (m *model) apply(steps []principal.Step) {
	for _, s := range steps {
		switch s := s.(type) {
		case principal.SetQuota:
			if m.quotas[s.Entity] == nil {
				m.quotas[s.Entity] = principal.Limits{}
			}
			for _, c := range s.Changes {
				if c.To == nil {
					delete(m.quotas[s.Entity], c.Key)
				} else {
					m.quotas[s.Entity][c.Key] = *c.To
				}
			}
		case principal.Grant:
			m.acls = append(m.acls, s.ACLs...)
		case principal.Revoke:
			m.acls = slices.DeleteFunc(m.acls, func(a principal.ACL) bool { return slices.Contains(s.ACLs, a) })
		}
	}
}

// TestEveryWayEnds: whatever is wanted after whatever was, with a process that may die between its claim and its steps and
// between two steps, the brokers come to hold it, a further plan is empty, and what is somebody else's is as it was.
func TestEveryWayEnds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	topics := []string{"a", "b", "c", "d"}
	some := func() (acls []principal.ACL) {
		for _, name := range topics {
			if random.IntN(2) == 0 {
				acls = append(acls, write(name))
			}
		}
		return acls
	}
	wanted := func() principal.Desired {
		d := principal.Desired{ACLs: some()}
		if random.IntN(3) > 0 {
			d.Quota = quota([]string{"u", "v"}[random.IntN(2)], float64(1+random.IntN(3)))
		}
		return d
	}
	for range 500 {
		foreign := some()
		others := quota("u", 7)
		m := &model{quotas: map[principal.Entity]principal.Limits{}, acls: slices.Clone(foreign)}
		if random.IntN(2) == 0 {
			m.quotas[others.Entity] = principal.Limits{principal.KeyProducerByteRate: 7}
		} else {
			others = nil
		}
		var own principal.Owned
		for i := range 4 {
			d := wanted()
			if i == 3 {
				d = principal.Desired{} // the profile is deleted
			}
			own = settle(t, random, m, d, own, others)
			for _, a := range d.ACLs {
				if !slices.Contains(m.acls, a) {
					t.Fatalf("%v is wanted and not there", a)
				}
			}
		}
		if !own.Nothing() {
			t.Fatalf("after the deletion something is ours: %+v", own)
		}
		for _, a := range m.acls {
			if !slices.Contains(foreign, a) {
				t.Fatalf("%v is left behind", a)
			}
		}
		for _, a := range foreign {
			if !slices.Contains(m.acls, a) {
				t.Fatalf("%v was somebody else's, and is gone", a)
			}
		}
		for entity, limits := range m.quotas {
			if len(limits) > 0 && (others == nil || entity != others.Entity || limits[principal.KeyProducerByteRate] != 7) {
				t.Fatalf("the quota %v of %v is left behind, or somebody else's and changed", limits, entity)
			}
		}
	}
}

func settle(t *testing.T, random *rand.Rand, m *model, d principal.Desired, own principal.Owned, others *principal.Quota) principal.Owned {
	t.Helper()
	for range 20 {
		plan := principal.MakePlan(d, principal.Observed{Quotas: m.quotas, ACLs: slices.Clone(m.acls)}, own, principal.Siblings{})
		if len(plan.Refusals) > 0 && (others == nil || d.Quota == nil || d.Quota.Entity != others.Entity) {
			t.Fatalf("refused for nothing: %v", plan.Refusals)
		}
		if len(plan.Steps) == 0 {
			return plan.Settled
		}
		// The claim is written down, in the words of status, and then the process may die.
		own = principal.FromStatus(plan.Claim.Record("default", "id"), "id")
		if diff := cmp.Diff(plan.Claim, own, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the claim does not survive status (-want +got):\n%s", diff)
		}
		m.apply(plan.Steps[:random.IntN(len(plan.Steps)+1)])
	}
	t.Fatal("no end after 20 rounds")
	return own
}

func TestDriftIsWhatSomebodyElseChanged(t *testing.T) {
	x, y := write("x"), write("y")
	own := principal.Owned{Quota: quota("a", 10), ACLs: []principal.ACL{x}}
	tests := map[string]struct {
		reason  string
		desired principal.Desired
		seen    principal.Observed
		drifted int
	}{
		"an ACL of ours is gone": {"we made it", principal.Desired(own), held(quota("a", 10)), 1},
		"a quota is another":     {"we set it", principal.Desired{Quota: own.Quota}, held(quota("a", 3)), 1},
		"the manifest changed":   {"nobody touched the brokers", principal.Desired{Quota: quota("a", 20), ACLs: []principal.ACL{x, y}}, principal.Observed{Quotas: held(quota("a", 10)).Quotas, ACLs: own.ACLs}, 0},
		"nothing changed":        {"there is nothing to do", principal.Desired(own), principal.Observed{Quotas: held(quota("a", 10)).Quotas, ACLs: own.ACLs}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plan := principal.MakePlan(tt.desired, tt.seen, own, principal.Siblings{})
			if got := plan.Drifted(own); len(got) != tt.drifted {
				t.Errorf("%s: %q, want %d", tt.reason, got, tt.drifted)
			}
		})
	}
}

func TestWhatIsOwnedIsOfOneCluster(t *testing.T) {
	own := principal.Owned{Quota: quota("a", 10), ACLs: []principal.ACL{write("x")}}
	record := own.Record("default", "one")
	if diff := cmp.Diff(own, principal.FromStatus(record, "one")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := principal.FromStatus(record, "another"); !got.Nothing() {
		t.Errorf("on another cluster behind the same addresses something is ours: %+v", got)
	}
	if got := (principal.Owned{}).Record("default", "one"); got != nil {
		t.Errorf("nothing is recorded as %+v", got)
	}
}

package principal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/principal"
)

func profile(change ...func(*v1alpha1.ProducerProfileSpec)) *v1alpha1.ProducerProfile {
	p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "checkout"}}
	p.Spec.Guarantee = v1alpha1.Idempotent
	for _, c := range change {
		c(&p.Spec)
	}
	return p
}

func managed(s *v1alpha1.ProducerProfileSpec) {
	s.Authorization = &v1alpha1.ProducerAuthorization{Mode: v1alpha1.AuthorizationManage, Principal: "User:checkout"}
}

func writing(names ...string) func(*v1alpha1.ProducerProfileSpec) {
	return func(s *v1alpha1.ProducerProfileSpec) { s.Topics = &v1alpha1.ProducerTopics{Names: names} }
}

func transactional(template string) func(*v1alpha1.ProducerProfileSpec) {
	return func(s *v1alpha1.ProducerProfileSpec) {
		s.Guarantee, s.Transactions = v1alpha1.Transactional, &v1alpha1.ProducerTransactions{IDTemplate: template}
	}
}

func lines(acls []principal.ACL) []string {
	var texts []string
	for _, a := range acls {
		texts = append(texts, a.String())
	}
	return texts
}

func TestACLsOfAProfile(t *testing.T) {
	writeOrders := []string{"allow DESCRIBE on TOPIC orders to User:checkout", "allow WRITE on TOPIC orders to User:checkout"}
	tests := map[string]struct {
		reason   string
		profile  *v1alpha1.ProducerProfile
		selected []string
		before28 bool
		want     []string
		refused  string
	}{
		"authorization is absent": {"nobody asked", profile(writing("orders")), nil, false, nil, ""},
		"mode None": {"nobody asked", profile(writing("orders"), managed, func(s *v1alpha1.ProducerProfileSpec) {
			s.Authorization.Mode = v1alpha1.AuthorizationNone
		}), nil, false, nil, ""},
		"a topic by name": {"to write it, and to find it", profile(managed, writing("orders")), nil, false, writeOrders, ""},
		"a topic twice":   {"one ACL does", profile(managed, writing("orders")), []string{"orders"}, false, writeOrders, ""},
		"a topic that the selector selects": {"an ACL cannot select by labels", profile(managed, func(s *v1alpha1.ProducerProfileSpec) {
			s.Topics = &v1alpha1.ProducerTopics{Selector: &metav1.LabelSelector{}}
		}), []string{"orders"}, false, writeOrders, ""},
		"a prefix": {"the authorizer knows prefixes", profile(managed, func(s *v1alpha1.ProducerProfileSpec) {
			s.Topics = &v1alpha1.ProducerTopics{Prefixes: []string{"shop."}}
		}), nil, false, []string{"allow DESCRIBE on TOPIC shop.* to User:checkout", "allow WRITE on TOPIC shop.* to User:checkout"}, ""},
		"every topic": {"what is not named is not granted", profile(managed), nil, false, nil, "spec.topics is absent"},
		"idempotence before Kafka 2.8": {"there it takes an ACL of its own", profile(managed, writing("orders")), nil, true,
			append([]string{"allow IDEMPOTENT_WRITE on the cluster to User:checkout"}, writeOrders...), ""},
		"AtLeastOnce before Kafka 2.8": {"it asks for no producer ID", profile(managed, writing("orders"), func(s *v1alpha1.ProducerProfileSpec) {
			s.Guarantee = v1alpha1.AtLeastOnce
		}), nil, true, writeOrders, ""},
		"transactions": {"the namespace is known, the pod is not", profile(managed, writing("orders"), transactional("{namespace}-checkout-{ordinal}")), nil, false,
			append(append([]string{}, writeOrders...), "allow DESCRIBE on TRANSACTIONAL_ID shop-checkout-* to User:checkout", "allow WRITE on TRANSACTIONAL_ID shop-checkout-* to User:checkout"), ""},
		"transactions before Kafka 2.8": {"the transactional ID is what is allowed", profile(managed, writing("orders"), transactional("a-{pod}")), nil, true,
			append(append([]string{}, writeOrders...), "allow DESCRIBE on TRANSACTIONAL_ID a-* to User:checkout", "allow WRITE on TRANSACTIONAL_ID a-* to User:checkout"), ""},
		"a transactional ID that begins with the pod": {"it would be every one", profile(managed, writing("orders"), transactional("{pod}-a")), nil, false, nil, "begins with a placeholder"},
		"a namespace that may be another": {"pods of other namespaces are let in", profile(managed, writing("orders"), transactional("{namespace}-{pod}"), func(s *v1alpha1.ProducerProfileSpec) {
			s.AllowedNamespaces = &v1alpha1.NamespaceConsent{}
		}), nil, false, nil, "begins with a placeholder"},
		"more topics than a status holds": {"status lists what is ours", profile(managed, writing("orders")), many(1024), false, nil, "1025 topics"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, refusals := principal.FromProfile(tt.profile, tt.selected, tt.before28)
			if diff := cmp.Diff(tt.want, lines(d.ACLs)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			switch {
			case tt.refused == "" && len(refusals) > 0:
				t.Errorf("%s: refused: %v", tt.reason, refusals)
			case tt.refused != "" && (len(refusals) != 1 || !strings.Contains(refusals[0].Message, tt.refused)):
				t.Errorf("%s: %v, want a refusal with %q", tt.reason, refusals, tt.refused)
			}
		})
	}
}

func many(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("t%d", i)
	}
	return names
}

func TestQuotaOfAProfile(t *testing.T) {
	p := profile(func(s *v1alpha1.ProducerProfileSpec) {
		s.Quota = &v1alpha1.ProducerQuota{User: "checkout", ProducerByteRate: new(resource.MustParse("10Mi")), RequestPercentage: new(int32(50))}
	})
	d, refusals := principal.FromProfile(p, nil, false)
	want := principal.Desired{Quota: &principal.Quota{
		Entity: principal.Entity{User: "checkout"},
		Limits: principal.Limits{principal.KeyProducerByteRate: 10 << 20, principal.KeyRequestPercentage: 50},
	}}
	if diff := cmp.Diff(want, d); diff != "" || len(refusals) > 0 {
		t.Errorf("-want +got:\n%s%v", diff, refusals)
	}
	if d, _ := principal.FromProfile(profile(), nil, false); !d.Nothing() {
		t.Errorf("a profile without quota and authorization wants %+v", d)
	}
}

func TestNeedsIdempotentWrite(t *testing.T) {
	tests := map[string]struct {
		reason    string
		guarantee v1alpha1.Guarantee
		before28  bool
		want      bool
	}{
		"before 2.8":                      {"there it is an ACL of its own", v1alpha1.Idempotent, true, true},
		"since 2.8":                       {"whoever may write may do so idempotently (KIP-679)", v1alpha1.Idempotent, false, false},
		"the default guarantee":           {"it is Idempotent", "", true, true},
		"without idempotence":             {"no producer ID is asked for", v1alpha1.AtMostOnce, true, false},
		"with a transactional ID instead": {"that one is allowed", v1alpha1.Transactional, true, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := principal.NeedsIdempotentWrite(tt.guarantee, tt.before28); got != tt.want {
				t.Errorf("%s: %t", tt.reason, got)
			}
		})
	}
}

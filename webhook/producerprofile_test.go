package webhook

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"mooring.dev/mooring/api/v1alpha1"
)

func profileIn(change ...func(*v1alpha1.ProducerProfileSpec)) *v1alpha1.ProducerProfile {
	p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Name: "reliable", Namespace: "shop"}}
	p.Spec.ClusterRef.Name, p.Spec.Guarantee = "default", v1alpha1.Idempotent
	for _, c := range change {
		c(&p.Spec)
	}
	return p
}

// around is a cache with the namespace shop and these objects.
func around(t *testing.T, objects ...client.Object) *profileValidator {
	t.Helper()
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	shop := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "shop"}}}
	return &profileValidator{reader: fake.NewClientBuilder().WithScheme(s).WithObjects(append(objects, shop)...).Build()}
}

func clusterWith(change func(*v1alpha1.KafkaClusterSpec)) *v1alpha1.KafkaCluster {
	k := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	k.Spec.BootstrapServers = []string{"a:9092", "b:9092", "c:9092"}
	change(&k.Spec)
	return k
}

func nothingSpecial(*v1alpha1.KafkaClusterSpec) {}

func atLeast(g v1alpha1.Guarantee) func(*v1alpha1.KafkaClusterSpec) {
	return func(s *v1alpha1.KafkaClusterSpec) { s.ProducerPolicy = &v1alpha1.ProducerPolicy{MinimumGuarantee: g} }
}

func named(pattern string) func(*v1alpha1.KafkaClusterSpec) {
	return func(s *v1alpha1.KafkaClusterSpec) { s.TopicPolicies = []v1alpha1.TopicPolicy{{NamePattern: pattern}} }
}

func causes(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	if !apierrors.IsInvalid(err) {
		t.Fatalf("it is no refusal: %v", err)
	}
	var fields []string
	for _, c := range err.(apierrors.APIStatus).Status().Details.Causes {
		fields = append(fields, c.Field)
	}
	slices.Sort(fields)
	return fields
}

func TestCreateProfile(t *testing.T) {
	weak := func(s *v1alpha1.ProducerProfileSpec) { s.Guarantee = v1alpha1.AtLeastOnce }
	tests := map[string]struct {
		reason  string
		profile *v1alpha1.ProducerProfile
		cluster *v1alpha1.KafkaCluster
		fields  []string
		words   []string
		warning string
	}{
		"a plain one": {"it breaks nothing", profileIn(), clusterWith(nothingSpecial), nil, nil, ""},
		"several errors": {"all are named at once", profileIn(func(s *v1alpha1.ProducerProfileSpec) {
			s.Properties = map[string]v1alpha1.ConfigValue{"lingerr": v1alpha1.MakeConfigValue("1"), "max.block.ms": v1alpha1.MakeConfigValue("soon")}
			s.Topics = &v1alpha1.ProducerTopics{Names: []string{"fine", "not fine"}}
		}), clusterWith(nothingSpecial), []string{"spec.properties[lingerr]", "spec.properties[max.block.ms]", "spec.topics.names[1]"}, []string{`"soon"`, `"not fine"`}, ""},
		"below the minimum": {"the cluster says how weak a profile may be", profileIn(weak), clusterWith(atLeast(v1alpha1.Idempotent)),
			[]string{"spec.guarantee"}, []string{`"AtLeastOnce"`, "set spec.guarantee to Idempotent"}, ""},
		"a namespace that the cluster does not take": {"it did not consent", profileIn(), clusterWith(func(s *v1alpha1.KafkaClusterSpec) {
			s.AllowedNamespaces = &v1alpha1.NamespaceConsent{Selector: metav1.LabelSelector{MatchLabels: map[string]string{"team": "other"}}}
		}), []string{"spec.clusterRef.name"}, []string{"ask for the label"}, ""},
		"ACLs for every topic": {"they would be for what nobody named", profileIn(func(s *v1alpha1.ProducerProfileSpec) {
			s.Authorization = &v1alpha1.ProducerAuthorization{Mode: v1alpha1.AuthorizationManage, Principal: "User:a"}
		}), clusterWith(nothingSpecial), []string{"spec.authorization.mode"}, []string{"name the topics in spec.topics"}, ""},
		"ACLs for another team's topic": {"the profile's namespace may not have that topic", profileIn(func(s *v1alpha1.ProducerProfileSpec) {
			s.Authorization = &v1alpha1.ProducerAuthorization{Mode: v1alpha1.AuthorizationManage, Principal: "User:a"}
			s.Topics = &v1alpha1.ProducerTopics{Names: []string{"shop.orders", "bank.payments"}, Prefixes: []string{"shop.", "ba"}}
		}), clusterWith(named(`{{ .Namespace }}\..*`)), []string{"spec.topics.names[1]", "spec.topics.prefixes[1]"}, []string{`"bank.payments"`, "name a topic of this namespace"}, ""},
		"another team's topic without ACLs": {"who may write it is somebody else's business", profileIn(func(s *v1alpha1.ProducerProfileSpec) {
			s.Topics = &v1alpha1.ProducerTopics{Names: []string{"bank.payments"}}
		}), clusterWith(named(`{{ .Namespace }}\..*`)), nil, nil, ""},
		"something that works and surprises": {"it is said", profileIn(func(s *v1alpha1.ProducerProfileSpec) { s.Partitioner = v1alpha1.PartitionerRoundRobin }),
			clusterWith(nothingSpecial), nil, nil, "round-robin-scatters-keys"},
		"no cluster yet": {"it may come", profileIn(weak), nil, nil, nil, "there is no KafkaCluster default yet"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var objects []client.Object
			if tt.cluster != nil {
				objects = append(objects, tt.cluster)
			}
			warnings, err := around(t, objects...).ValidateCreate(t.Context(), tt.profile)
			if got := causes(t, err); !slices.Equal(got, tt.fields) {
				t.Errorf("%s: %q, want %q: %v", tt.reason, got, tt.fields, err)
			}
			for _, word := range tt.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%s: %v lacks %q", tt.reason, err, word)
				}
			}
			if all := strings.Join(warnings, "\n"); (tt.warning == "") != (all == "") || !strings.Contains(all, tt.warning) {
				t.Errorf("%s: warnings %q, want %q", tt.reason, all, tt.warning)
			}
		})
	}
}

func TestUpdateProfile(t *testing.T) {
	weak := profileIn(func(s *v1alpha1.ProducerProfileSpec) { s.Guarantee = v1alpha1.AtLeastOnce })
	now := metav1.Now()
	tests := map[string]struct {
		reason string
		edit   func(*v1alpha1.ProducerProfile)
		fields []string
		warns  bool
	}{
		"an edit of something else": {"the policy became stricter after it", func(p *v1alpha1.ProducerProfile) {
			p.Spec.Batching = &v1alpha1.ProducerBatching{Compression: "zstd"}
		}, nil, true},
		"an edit that makes it worse": {"it is brought by this update", func(p *v1alpha1.ProducerProfile) { p.Spec.Guarantee = v1alpha1.AtMostOnce }, []string{"spec.guarantee"}, false},
		"an edit that breaks something more": {"only what is new is refused", func(p *v1alpha1.ProducerProfile) {
			p.Spec.Properties = map[string]v1alpha1.ConfigValue{"lingerr": v1alpha1.MakeConfigValue("1")}
		}, []string{"spec.properties[lingerr]"}, true},
		"an edit that mends it": {"nothing is left", func(p *v1alpha1.ProducerProfile) { p.Spec.Guarantee = v1alpha1.Idempotent }, nil, false},
		"an annotation":         {"the spec is as it was", func(p *v1alpha1.ProducerProfile) { p.Annotations = map[string]string{"a": "b"} }, nil, false},
		"a deletion": {"nothing may get stuck on its way out", func(p *v1alpha1.ProducerProfile) {
			p.DeletionTimestamp, p.Spec.Guarantee = &now, v1alpha1.AtMostOnce
		}, nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changed := weak.DeepCopy()
			tt.edit(changed)
			warnings, err := around(t, clusterWith(atLeast(v1alpha1.Idempotent))).ValidateUpdate(t.Context(), weak, changed)
			if got := causes(t, err); !slices.Equal(got, tt.fields) {
				t.Errorf("%s: %q, want %q: %v", tt.reason, got, tt.fields, err)
			}
			if got := slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, "as before: spec.guarantee") }); got != tt.warns {
				t.Errorf("%s: warnings %q", tt.reason, warnings)
			}
		})
	}
}

func TestAFaultIsNoRefusalOfAProfile(t *testing.T) {
	for _, reader := range []brokenReader{{}, {panics: true}} {
		answer := post(t, admission.WithValidator(scheme(t), &profileValidator{reader: reader}), profileIn())
		if answer.Code != http.StatusInternalServerError || strings.Contains(answer.Body.String(), "allowed") {
			t.Errorf("HTTP %d, want 500, so that failurePolicy decides: %s", answer.Code, answer.Body)
		}
	}
}

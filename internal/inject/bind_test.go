package inject

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

func selecting(namespace, name string, labels map[string]string) v1alpha1.ProducerProfile {
	p := v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if labels != nil {
		p.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	}
	return p
}

func open(p v1alpha1.ProducerProfile, labels map[string]string) v1alpha1.ProducerProfile {
	p.Spec.AllowedNamespaces = &v1alpha1.NamespaceConsent{Selector: metav1.LabelSelector{MatchLabels: labels}}
	return p
}

func TestSelect(t *testing.T) {
	enabled := Place{"shop", map[string]string{v1alpha1.LabelInjection: v1alpha1.InjectionEnabled, "team": "shop"}}
	pod := map[string]string{"app": "checkout", "tier": "web"}
	app, both := map[string]string{"app": "checkout"}, pod
	tests := map[string]struct {
		reason   string
		place    Place
		profiles []v1alpha1.ProducerProfile
		want     string
		refused  []string
	}{
		"a namespace without the label":         {"nobody asked for injection there", Place{Name: "shop"}, []v1alpha1.ProducerProfile{selecting("shop", "a", app)}, "", nil},
		"no selector matches":                   {"other pods are other people's", enabled, []v1alpha1.ProducerProfile{selecting("shop", "a", map[string]string{"app": "x"}), selecting("shop", "b", nil)}, "", nil},
		"one matches":                           {"that is what selectors are for", enabled, []v1alpha1.ProducerProfile{selecting("shop", "a", app)}, "shop/a", nil},
		"the more specific one wins":            {"two terms say more than one", enabled, []v1alpha1.ProducerProfile{selecting("shop", "a", app), selecting("shop", "b", both)}, "shop/b", nil},
		"the own namespace wins between equals": {"who is nearer knows better", enabled, []v1alpha1.ProducerProfile{open(selecting("base", "a", app), nil), selecting("shop", "b", app)}, "shop/b", nil},
		"specific wins over near":               {"it was meant for such pods", enabled, []v1alpha1.ProducerProfile{open(selecting("base", "a", both), nil), selecting("shop", "b", app)}, "base/a", nil},
		"a tie":                                 {"chance must not decide", enabled, []v1alpha1.ProducerProfile{selecting("shop", "b", app), selecting("shop", "a", map[string]string{"tier": "web"})}, "", []string{"shop/a", "shop/b", "neither is more specific"}},
		"without consent":                       {"nobody binds pods of a namespace that he does not own", enabled, []v1alpha1.ProducerProfile{selecting("base", "a", app)}, "", nil},
		"with consent for others":               {"the label is missing", enabled, []v1alpha1.ProducerProfile{open(selecting("base", "a", app), map[string]string{"team": "bank"})}, "", nil},
		"with consent":                          {"the owner lets this team in", enabled, []v1alpha1.ProducerProfile{open(selecting("base", "a", app), map[string]string{"team": "shop"})}, "base/a", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, refusal := Select(pod, tt.place, tt.profiles)
			found := ""
			if got != nil {
				found = got.Namespace + "/" + got.Name
			}
			if found != tt.want || (refusal != nil) != (tt.refused != nil) {
				t.Fatalf("%s: %q, %v; want %q", tt.reason, found, refusal, tt.want)
			}
			for _, word := range tt.refused {
				if !strings.Contains(refusal.Sentence(), word) {
					t.Errorf("%q does not say %q", refusal.Sentence(), word)
				}
			}
		})
	}
}

func TestReadRequest(t *testing.T) {
	const profile, containers, shim, out = v1alpha1.AnnotationProducerProfile, v1alpha1.AnnotationProducerContainers, v1alpha1.AnnotationProducerShim, v1alpha1.AnnotationProducerInject
	tests := map[string]struct {
		annotations map[string]string
		want        string // namespace/name
		refused     string
	}{
		"nothing":                  {nil, "shop/", ""},
		"a name":                   {map[string]string{profile: " reliable "}, "shop/reliable", ""},
		"a name and a namespace":   {map[string]string{profile: "base/reliable"}, "base/reliable", ""},
		"an empty name":            {map[string]string{profile: ""}, "", "names no ProducerProfile"},
		"a namespace alone":        {map[string]string{profile: "base/"}, "", "write its name, or namespace/name"},
		"a name alone after /":     {map[string]string{profile: "/reliable"}, "", "names no ProducerProfile"},
		"too many parts":           {map[string]string{profile: "a/b/c"}, "", "names no ProducerProfile"},
		"a misspelt key":           {map[string]string{"kafka.mooring.dev/producer-profil": "reliable"}, "", "metadata.annotations[kafka.mooring.dev/producer-profil]: there is no such annotation, did you mean kafka.mooring.dev/producer-profile?"},
		"a misspelt key beside it": {map[string]string{profile: "reliable", "kafka.mooring.dev/producer-container": "app"}, "", "did you mean kafka.mooring.dev/producer-containers?"},
		"a key of somebody else":   {map[string]string{profile: "reliable", "mooring.example/producer": "x"}, "shop/reliable", ""},
		"what Mooring wrote":       {map[string]string{profile: "reliable", v1alpha1.AnnotationContract: "{}", v1alpha1.AnnotationRestartedFor: "h"}, "shop/reliable", ""},
		"an opt-out that is none":  {map[string]string{profile: "reliable", out: "no"}, "", `write "false" to leave the pod alone`},
		"an opt-out taken back":    {map[string]string{profile: "reliable", out: "true"}, "shop/reliable", ""},
		"an opt-out beside it":     {map[string]string{profile: "reliable", out: "False"}, "shop/", ""},
		"containers with blanks":   {map[string]string{profile: "reliable", containers: " ,a ,, a"}, "shop/reliable", ""},
		"a shim that nobody has":   {map[string]string{profile: "reliable", shim: "htpp"}, "", "did you mean http?"},
		"a shim in capitals":       {map[string]string{profile: "reliable", shim: "Kafka"}, "shop/reliable", ""},
		"a shim that is not said":  {map[string]string{profile: "reliable", shim: ""}, "", "must be one of none, kafka, http, all"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, refusal := ReadRequest(tt.annotations, "shop")
			if tt.refused != "" {
				if refusal == nil || !strings.Contains(refusal.Sentence(), tt.refused) {
					t.Fatalf("%v, want %q", refusal, tt.refused)
				}
				return
			}
			if refusal != nil || got.Namespace+"/"+got.Name != tt.want {
				t.Errorf("%s/%s, %v; want %s", got.Namespace, got.Name, refusal, tt.want)
			}
		})
	}
}

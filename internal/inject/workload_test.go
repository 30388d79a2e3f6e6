package inject

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mooring.dev/mooring/api/v1alpha1"
)

func TestCopyToTemplate(t *testing.T) {
	const profile, containers, copied = v1alpha1.AnnotationProducerProfile, v1alpha1.AnnotationProducerContainers, v1alpha1.AnnotationProducerCopied
	type m = map[string]string
	ours := func(value string) string { return `{"` + profile + `":"` + value + `"}` }
	tests := map[string]struct {
		reason                   string
		workload, template, want m
	}{
		"nobody asks":                 {"nothing is touched", nil, m{"a": "b"}, m{"a": "b"}},
		"the workload asks":           {"its pods are to be injected", m{profile: "x", "a": "b"}, nil, m{profile: "x", copied: ours("x")}},
		"it asks for another now":     {"what we brought follows", m{profile: "y"}, m{profile: "x", copied: ours("x")}, m{profile: "y", copied: ours("y")}},
		"it asks no longer":           {"what we brought goes, and the rest stays", nil, m{profile: "x", copied: ours("x"), "a": "b"}, m{"a": "b"}},
		"the template asks itself":    {"the template's own wins", m{profile: "x"}, m{profile: "own"}, m{profile: "own"}},
		"the template's own stays":    {"we did not bring it, so we do not take it", nil, m{profile: "own"}, m{profile: "own"}},
		"our copy was edited":         {"then it is somebody's own", nil, m{profile: "own", copied: ours("x")}, m{profile: "own"}},
		"the copies cannot be read":   {"then nothing is known to be ours", nil, m{profile: "x", copied: "{"}, m{profile: "x"}},
		"again":                       {"a second run changes nothing", m{profile: "x"}, m{profile: "x", copied: ours("x")}, m{profile: "x", copied: ours("x")}},
		"a misspelt key":              {"its pods are to be refused, not to start without a contract", m{"kafka.mooring.dev/producer-profil": "x"}, nil, m{"kafka.mooring.dev/producer-profil": "x", copied: `{"kafka.mooring.dev/producer-profil":"x"}`}},
		"it was corrected":            {"what we brought goes", m{profile: "x"}, m{"kafka.mooring.dev/producer-profil": "x", copied: `{"kafka.mooring.dev/producer-profil":"x"}`}, m{profile: "x", copied: ours("x")}},
		"what Mooring writes itself":  {"it is no request", m{v1alpha1.AnnotationRestartedFor: "h"}, nil, nil},
		"one is its own, one is ours": {"each key by itself", m{profile: "x", containers: "a"}, m{containers: "own"}, m{profile: "x", containers: "own", copied: ours("x")}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, differ := CopyToTemplate(tt.workload, tt.template)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if differ == cmp.Equal(tt.template, got, cmpopts.EquateEmpty()) {
				t.Errorf("%s: differ is %t", tt.reason, differ)
			}
			if again, differ := CopyToTemplate(tt.workload, got); differ {
				t.Errorf("a second run changes %v to %v", got, again)
			}
		})
	}
}

package inject

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/topic"
)

// Place is the namespace that a pod is in.
type Place struct {
	Name   string
	Labels map[string]string
}

// SelectorsApply says whether the profiles' selectors bind pods of this namespace.
func (p Place) SelectorsApply() bool {
	return p.Labels[v1alpha1.LabelInjection] == v1alpha1.InjectionEnabled
}

// Consent says whether a profile lets pods of a namespace refer to it; nil when it does.
func Consent(p *v1alpha1.ProducerProfile, place Place) *Refusal {
	if p.Namespace == place.Name {
		return nil
	}
	name := p.Namespace + "/" + p.Name
	if p.Spec.AllowedNamespaces == nil {
		return refuse(ReasonProfileNotAllowed, "",
			"ProducerProfile %s is for its own namespace only, and the pod is in %s; ask its owner for spec.allowedNamespaces, or make a profile here", name, place.Name)
	}
	consent := &p.Spec.AllowedNamespaces.Selector
	selector, err := metav1.LabelSelectorAsSelector(consent)
	if err != nil {
		return refuse(ReasonProfileNotAllowed, "", "ProducerProfile %s: spec.allowedNamespaces.selector is not a selector: %v; correct the profile", name, err)
	}
	if selector.Matches(labels.Set(place.Labels)) {
		return nil
	}
	return refuse(ReasonProfileNotAllowed, "",
		"ProducerProfile %s is for namespaces labelled %s, and %s is not; ask for the label, or use another profile", name, metav1.FormatLabelSelector(consent), place.Name)
}

// ClusterConsent says whether a KafkaCluster lets a profile's namespace refer to it; nil when it does.
func ClusterConsent(k *v1alpha1.KafkaCluster, profile Place) *Refusal {
	if refusal, refused := topic.RefuseNamespace(k, "profiles", profile.Name, profile.Labels); refused {
		return refuse(ReasonClusterNotAllowed, "", "%s", refusal.Message)
	}
	return nil
}

// candidate is a profile whose selector matches.
type candidate struct {
	profile *v1alpha1.ProducerProfile
	// terms of the selector, and whether the profile is of the pod's own namespace.
	terms int
	own   bool
}

// Select finds the profile whose selector binds a pod with these labels: the one with the most terms, and of those the one
// in the pod's own namespace. Two that are equal are a refusal with both names, beside a profile where both only audit. Nil, nil
// means that none does.
func Select(podLabels map[string]string, place Place, profiles []v1alpha1.ProducerProfile) (*v1alpha1.ProducerProfile, *Refusal) {
	if !place.SelectorsApply() {
		return nil, nil
	}
	var found []candidate
	for i := range profiles {
		p := &profiles[i]
		if p.Spec.Selector == nil || !p.DeletionTimestamp.IsZero() || Consent(p, place) != nil {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(p.Spec.Selector)
		if err != nil || !selector.Matches(labels.Set(podLabels)) {
			continue // what cannot be read selects nothing, and is the profile's own error
		}
		found = append(found, candidate{p, len(p.Spec.Selector.MatchLabels) + len(p.Spec.Selector.MatchExpressions), p.Namespace == place.Name})
	}
	if len(found) == 0 {
		return nil, nil
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(rank(b, a), strings.Compare(a.profile.Namespace+"/"+a.profile.Name, b.profile.Namespace+"/"+b.profile.Name))
	})
	if len(found) > 1 && rank(found[0], found[1]) == 0 {
		a, b := found[0].profile, found[1].profile
		refusal := refuse(ReasonProfileAmbiguous, "metadata.labels",
			"ProducerProfiles %s/%s and %s/%s select this pod, and neither is more specific; add a label to one spec.selector, or name one with the annotation %s",
			a.Namespace, a.Name, b.Namespace, b.Name, v1alpha1.AnnotationProducerProfile)
		if a.Spec.Enforcement == v1alpha1.EnforcementAudit && b.Spec.Enforcement == v1alpha1.EnforcementAudit {
			return a, refusal // those who only audit keep no pod from starting
		}
		return nil, refusal
	}
	return found[0].profile, nil
}

// rank is above 0 where a is more specific than b.
func rank(a, b candidate) int {
	own := func(c candidate) int {
		if c.own {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.terms, b.terms), cmp.Compare(own(a), own(b)))
}

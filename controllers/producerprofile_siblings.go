package controllers

import (
	"cmp"
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/principal"
)

// Indexes of the cache for profiles.
const (
	// indexProfilesByCluster finds the ProducerProfiles of a KafkaCluster, and those that have something on it.
	indexProfilesByCluster = "mooring.profilesByCluster"
	// indexProfilesByQuota finds those that want or have the quota of an entity.
	indexProfilesByQuota = "mooring.profilesByQuota"
	// indexProfilesByPrincipal finds those that want or have ACLs of a principal.
	indexProfilesByPrincipal = "mooring.profilesByPrincipal"
)

// addProfileIndexes registers the indexes; it must run before the cache starts.
func addProfileIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for name, values := range profileIndexes {
		index := func(o client.Object) []string { return values(o.(*v1alpha1.ProducerProfile)) }
		if err := indexer.IndexField(ctx, &v1alpha1.ProducerProfile{}, name, index); err != nil {
			return err
		}
	}
	return nil
}

var profileIndexes = map[string]func(*v1alpha1.ProducerProfile) []string{
	indexProfilesByCluster: func(p *v1alpha1.ProducerProfile) []string {
		values := []string{clusterOf(p)}
		if m := p.Status.Managed; m != nil && m.Cluster != clusterOf(p) {
			values = append(values, m.Cluster)
		}
		return values
	},
	indexProfilesByQuota: func(p *v1alpha1.ProducerProfile) []string {
		var values []string
		if e, ok := principal.EntityOf(p); ok {
			values = append(values, quotaTarget(clusterOf(p), e))
		}
		if m := p.Status.Managed; m != nil && m.Quota != nil {
			values = append(values, quotaTarget(m.Cluster, principal.Entity{User: m.Quota.User, ClientID: m.Quota.ClientID}))
		}
		slices.Sort(values)
		return slices.Compact(values)
	},
	indexProfilesByPrincipal: func(p *v1alpha1.ProducerProfile) []string {
		var values []string
		if principal.Manages(p) {
			values = append(values, target(clusterOf(p), p.Spec.Authorization.Principal))
		}
		if m := p.Status.Managed; m != nil {
			for _, a := range m.ACLs {
				values = append(values, target(m.Cluster, a.Principal))
			}
		}
		slices.Sort(values)
		return slices.Compact(values)
	},
}

// quotaTarget is the value of indexProfilesByQuota. No line break is in a name of a cluster.
func quotaTarget(cluster string, e principal.Entity) string {
	return cluster + "\n" + e.User + "\n" + e.ClientID
}

func listProfiles(ctx context.Context, c client.Reader, index, value string) ([]v1alpha1.ProducerProfile, error) {
	var list v1alpha1.ProducerProfileList
	err := c.List(ctx, &list, client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// quotaOwner is an older profile that wants or has the quota of the entity; nil when this one owns it.
func (s *profileScope) quotaOwner(ctx context.Context, e principal.Entity) (*v1alpha1.ProducerProfile, error) {
	profiles, err := listProfiles(ctx, s.reconciler.Client, indexProfilesByQuota, quotaTarget(s.config.Cluster, e))
	if err != nil {
		return nil, err
	}
	oldest := s.profile
	for i := range profiles {
		// While one is being deleted it is still the owner: its quota goes with it, and ours comes after.
		if p := &profiles[i]; p.UID != s.profile.UID && older(p, oldest) {
			oldest = p
		}
	}
	if oldest == s.profile {
		return nil, nil
	}
	return oldest, nil
}

func older(a, b *v1alpha1.ProducerProfile) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID)) < 0
}

// siblings are the other profiles that want or have ACLs of the principals in question.
func (s *profileScope) siblings(ctx context.Context, a access, clusterID string, before28 bool) (principal.Siblings, error) {
	var found principal.Siblings
	_, principals := principal.Asks(a.desired, a.own)
	for _, name := range principals {
		profiles, err := listProfiles(ctx, s.reconciler.Client, indexProfilesByPrincipal, target(a.cluster, name))
		if err != nil {
			return found, err
		}
		for i := range profiles {
			p := &profiles[i]
			if p.UID == s.profile.UID || p.Status.Managed == nil && !principal.Manages(p) {
				continue
			}
			if p.Status.Managed != nil && p.Status.Managed.Cluster == a.cluster {
				found.Owned = append(found.Owned, principal.FromStatus(p.Status.Managed, clusterID).ACLs...)
			}
			if err := s.addLiving(ctx, &found, p, a.cluster, clusterID, before28); err != nil {
				return found, err
			}
		}
	}
	return found.Tidy(), nil
}

// addLiving adds what a profile wants that is as it should be. One that is not may never take over what it wants.
func (s *profileScope) addLiving(ctx context.Context, found *principal.Siblings, p *v1alpha1.ProducerProfile, cluster, clusterID string, before28 bool) error {
	ready := p.Status.ObservedGeneration == p.Generation && meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReady)
	if !p.DeletionTimestamp.IsZero() || !ready || clusterOf(p) != cluster {
		return nil
	}
	other := &profileScope{reconciler: s.reconciler, profile: p}
	if err := other.gatherTopics(ctx); err != nil {
		return err
	}
	desired, _ := principal.FromProfile(p, other.selected, before28)
	found.Kept = append(found.Kept, desired.ACLs...)
	if p.Status.Managed != nil && p.Status.Managed.Cluster == cluster {
		found.Taken = append(found.Taken, principal.FromStatus(p.Status.Managed, clusterID).ACLs...)
	}
	return nil
}

// profilesHolding are the profiles that have a quota or ACLs on a cluster, which their deletion has to take off.
func profilesHolding(ctx context.Context, c client.Reader, cluster string) ([]v1alpha1.ProducerProfile, error) {
	profiles, err := listProfiles(ctx, c, indexProfilesByCluster, cluster)
	return slices.DeleteFunc(profiles, func(p v1alpha1.ProducerProfile) bool {
		return p.Status.Managed == nil || p.Status.Managed.Cluster != cluster
	}), err
}

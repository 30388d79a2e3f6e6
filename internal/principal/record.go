package principal

import (
	"strconv"

	"mooring.dev/mooring/api/v1alpha1"
)

// FromStatus is what a profile's status says that it owns on the cluster with this identity. What it owned on another one,
// behind the same KafkaCluster, is not there.
func FromStatus(m *v1alpha1.ManagedAccess, clusterID string) Owned {
	if m == nil || m.ClusterID != clusterID {
		return Owned{}
	}
	var o Owned
	for _, entry := range m.ACLs {
		for _, operation := range entry.Operations {
			o.ACLs = append(o.ACLs, ACL{
				Principal: entry.Principal, Host: AnyHost, Resource: Resource(entry.Resource), Pattern: Pattern(entry.Pattern),
				Name: entry.Name, Operation: Operation(operation),
			})
		}
	}
	o.ACLs = tidy(o.ACLs)
	if q := m.Quota; q != nil {
		limits := make(Limits, len(q.Values))
		for key, text := range q.Values {
			if value, err := strconv.ParseFloat(text, 64); err == nil {
				limits[key] = value
			}
		}
		o.Quota = quotaOf(Entity{q.User, q.ClientID}, limits)
	}
	return o
}

// Record is the inverse of FromStatus; nil for nothing.
func (o Owned) Record(cluster, clusterID string) *v1alpha1.ManagedAccess {
	if o.Nothing() {
		return nil
	}
	m := &v1alpha1.ManagedAccess{Cluster: cluster, ClusterID: clusterID}
	if o.Quota != nil {
		m.Quota = &v1alpha1.ManagedQuota{User: o.Quota.User, ClientID: o.Quota.ClientID, Values: o.Quota.Limits.Texts()}
	}
	acls := tidy(o.ACLs)
	for i, a := range acls {
		if i == 0 || !sameResource(a, acls[i-1]) {
			m.ACLs = append(m.ACLs, v1alpha1.ManagedACL{
				Principal: a.Principal, Resource: string(a.Resource), Pattern: string(a.Pattern), Name: a.Name,
			})
		}
		last := &m.ACLs[len(m.ACLs)-1]
		last.Operations = append(last.Operations, string(a.Operation))
	}
	return m
}

// Asks are the entities and principals whose quotas and ACLs a plan has to see.
func Asks(d Desired, o Owned) (entities []Entity, principals []string) {
	for _, q := range []*Quota{d.Quota, o.Quota} {
		if q != nil && (len(entities) == 0 || entities[0] != q.Entity) {
			entities = append(entities, q.Entity)
		}
	}
	seen := make(map[string]bool)
	for _, list := range [][]ACL{d.ACLs, o.ACLs} {
		for _, a := range list {
			if !seen[a.Principal] {
				seen[a.Principal] = true
				principals = append(principals, a.Principal)
			}
		}
	}
	return entities, principals
}

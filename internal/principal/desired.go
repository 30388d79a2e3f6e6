package principal

import (
	"fmt"
	"slices"
	"strings"

	"mooring.dev/mooring/api/v1alpha1"
)

// MaxResources bounds the resources of one profile's ACLs, because status lists them.
const MaxResources = 1024

// FromProfile is what a profile wants the brokers of a cluster to hold. selected are the names of the topics that
// spec.topics.selector selects now; before28 says that the brokers are older than Kafka 2.8. The refusals say what cannot
// be wanted.
func FromProfile(p *v1alpha1.ProducerProfile, selected []string, before28 bool) (Desired, []Refusal) {
	d := Desired{Quota: quotaFrom(p.Spec.Quota)}
	if !Manages(p) {
		return d, nil
	}
	b := aclBuilder{principal: p.Spec.Authorization.Principal}
	b.topics(p.Spec.Topics, selected)
	b.idempotence(p.Spec.Guarantee, before28)
	b.transactions(p)
	d.ACLs = tidy(b.acls)
	if n := resources(d.ACLs); n > MaxResources {
		b.refuse("spec.topics selects %d topics, and %d are the most that a profile keeps ACLs for; use spec.topics.prefixes", n, MaxResources)
	}
	if len(b.refusals) > 0 {
		d.ACLs = nil
	}
	return d, b.refusals
}

// Manages says whether the profile keeps ACLs.
func Manages(p *v1alpha1.ProducerProfile) bool {
	return p.Spec.Authorization != nil && p.Spec.Authorization.Mode == v1alpha1.AuthorizationManage
}

// EntityOf is the quota entity of a profile, if it has one.
func EntityOf(p *v1alpha1.ProducerProfile) (Entity, bool) {
	q := p.Spec.Quota
	if q == nil || (q.User == "" && q.ClientID == "") {
		return Entity{}, false
	}
	return Entity{q.User, q.ClientID}, true
}

func quotaFrom(q *v1alpha1.ProducerQuota) *Quota {
	if q == nil || (q.User == "" && q.ClientID == "") {
		return nil
	}
	limits := Limits{}
	if q.ProducerByteRate != nil {
		limits[KeyProducerByteRate] = float64(q.ProducerByteRate.Value())
	}
	if q.RequestPercentage != nil {
		limits[KeyRequestPercentage] = float64(*q.RequestPercentage)
	}
	return quotaOf(Entity{q.User, q.ClientID}, limits)
}

type aclBuilder struct {
	principal string
	acls      []ACL
	refusals  []Refusal
}

func (b *aclBuilder) allow(r Resource, p Pattern, name string, operations ...Operation) {
	for _, o := range operations {
		b.acls = append(b.acls, ACL{Principal: b.principal, Host: AnyHost, Resource: r, Pattern: p, Name: name, Operation: o})
	}
}

func (b *aclBuilder) refuse(format string, args ...any) {
	b.refusals = append(b.refusals, Refusal{v1alpha1.ReasonInvalidSpec, fmt.Sprintf(format, args...)})
}

func (b *aclBuilder) topics(t *v1alpha1.ProducerTopics, selected []string) {
	if t == nil {
		b.refuse("spec.authorization.mode is Manage and spec.topics is absent: the principal would be allowed to write every topic; name the topics in spec.topics")
		return
	}
	for _, name := range slices.Concat(t.Names, selected) {
		b.allow(ResourceTopic, Literal, name, Write, Describe)
	}
	for _, prefix := range t.Prefixes {
		b.allow(ResourceTopic, Prefixed, prefix, Write, Describe)
	}
}

// idempotence is allowed on the cluster where that takes an ACL of its own: since Kafka 2.8 whoever may write a topic may
// do so idempotently (KIP-679).
func (b *aclBuilder) idempotence(g v1alpha1.Guarantee, before28 bool) {
	if NeedsIdempotentWrite(g, before28) {
		b.allow(ResourceCluster, Literal, clusterName, IdempotentWrite)
	}
}

// transactions allows the transactional IDs that the template can come to.
func (b *aclBuilder) transactions(p *v1alpha1.ProducerProfile) {
	if p.Spec.Guarantee != v1alpha1.Transactional || p.Spec.Transactions == nil {
		return
	}
	template := p.Spec.Transactions.IDTemplate
	if p.Spec.AllowedNamespaces == nil { // pods of other namespaces cannot refer to the profile
		template = strings.ReplaceAll(template, "{namespace}", p.Namespace)
	}
	fixed, _, open := strings.Cut(template, "{")
	switch {
	case fixed == "":
		b.refuse("spec.transactions.idTemplate begins with a placeholder, so that the principal would be allowed every transactional.id; let it begin with a fixed text, for example %s-", p.Name)
	case open:
		b.allow(ResourceTransactionalID, Prefixed, fixed, Write, Describe)
	default:
		b.allow(ResourceTransactionalID, Literal, fixed, Write, Describe)
	}
}

// NeedsIdempotentWrite says whether an idempotent producer needs the ACL IDEMPOTENT_WRITE on the cluster: on brokers before
// Kafka 2.8. A transactional one does not, because its transactional ID is what it is allowed.
func NeedsIdempotentWrite(g v1alpha1.Guarantee, before28 bool) bool {
	return before28 && (g == v1alpha1.Idempotent || g == "")
}

func resources(acls []ACL) int {
	n := 0
	for i, a := range acls {
		if i == 0 || !sameResource(a, acls[i-1]) {
			n++
		}
	}
	return n
}

func sameResource(a, b ACL) bool {
	return a.Principal == b.Principal && a.Resource == b.Resource && a.Pattern == b.Pattern && a.Name == b.Name
}

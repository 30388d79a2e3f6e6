package principal

import (
	"fmt"
	"maps"
	"slices"

	"mooring.dev/mooring/api/v1alpha1"
)

// Desired is what a profile wants the brokers to hold. The zero value is nothing.
type Desired struct {
	// Quota is nil for none.
	Quota *Quota
	// ACLs are sorted, and none is there twice.
	ACLs []ACL
}

// Nothing says that nothing is wanted.
func (d Desired) Nothing() bool { return d.Quota == nil && len(d.ACLs) == 0 }

// Observed is what the brokers hold of what a profile wants or owns.
type Observed struct {
	// Quotas are the limits of the entities that were asked for; an entity without any may be absent.
	Quotas map[Entity]Limits
	// ACLs of the principals that were asked for, whoever made them.
	ACLs []ACL
}

// Owned is what a profile has put on the brokers, or was about to when it last wrote its status.
type Owned struct {
	// Quota is nil for none. Its values are those that were set.
	Quota *Quota
	ACLs  []ACL
}

// Nothing says that nothing is owned.
func (o Owned) Nothing() bool { return o.Quota == nil && len(o.ACLs) == 0 }

// Siblings are other profiles for the same principals on the same cluster.
type Siblings struct {
	// Owned by any of them: what they made is not somebody else's.
	Owned []ACL
	// Kept are those that the ones that live on want: they are not taken away under them.
	Kept []ACL
	// Taken are those that the ones that live on own already.
	Taken []ACL
}

// Step changes the brokers. It is one of SetQuota, Grant and Revoke.
type Step interface {
	step()
	// Lines say what it does, a line for each change.
	Lines() []string
}

// SetQuota sets and removes keys of one quota entity.
type SetQuota struct {
	Entity
	Changes []QuotaChange
}

// Grant creates ACLs.
type Grant struct{ ACLs []ACL }

// Revoke deletes ACLs, each exactly as it is here.
type Revoke struct{ ACLs []ACL }

func (SetQuota) step() {}
func (Grant) step()    {}
func (Revoke) step()   {}

// Lines implements Step.
func (s SetQuota) Lines() []string {
	lines := make([]string, 0, len(s.Changes))
	for _, c := range s.Changes {
		lines = append(lines, c.line(s.Entity))
	}
	return lines
}

// Lines implements Step.
func (s Grant) Lines() []string { return linesOf("", s.ACLs) }

// Lines implements Step.
func (s Revoke) Lines() []string { return linesOf("no longer ", s.ACLs) }

func linesOf(verb string, acls []ACL) []string {
	lines := make([]string, 0, len(acls))
	for _, a := range acls {
		lines = append(lines, verb+a.String())
	}
	return lines
}

// Refusal is something wanted that is not done.
type Refusal struct {
	// Reason is one of the API's reasons.
	Reason string
	// Message says what stands in the way, and how to mend it.
	Message string
}

// Plan is the way from what is to what is wanted.
type Plan struct {
	// Claim is what the profile owns from now on. It has to be written down before the steps are carried out, so that a
	// process that dies between the two leaves word of what is the profile's.
	Claim Owned
	// Steps in order: what is wanted is allowed before what is not wanted is taken away.
	Steps []Step
	// Settled is what the profile owns once the steps are carried out.
	Settled Owned
	// Awaited are ACLs that live on with another profile, which has not said so yet.
	Awaited  []ACL
	Refusals []Refusal
	// Notes are what works against the profile, and is somebody else's to change.
	Notes []string
}

// Lines of all steps.
func (p Plan) Lines() []string {
	var lines []string
	for _, s := range p.Steps {
		lines = append(lines, s.Lines()...)
	}
	return lines
}

// MakePlan decides. The same arguments give the same plan, and a plan that was carried out is followed by an empty one.
func MakePlan(d Desired, seen Observed, own Owned, others Siblings) Plan {
	var p Plan
	p.planQuota(d.Quota, seen, own.Quota)
	p.planACLs(d.ACLs, seen.ACLs, own.ACLs, others)
	return p
}

// planQuota sets what is wanted, and removes what was set for an entity or a key that is not wanted any more.
func (p *Plan) planQuota(want *Quota, seen Observed, own *Quota) {
	if own != nil && (want == nil || want.Entity != own.Entity) {
		if changes := removals(own.Limits, seen.Quotas[own.Entity]); len(changes) > 0 {
			p.Steps = append(p.Steps, SetQuota{own.Entity, changes})
			// The claim holds one entity. The old one stays in it until it is gone, and the new one comes after.
			p.Claim.Quota, p.Settled.Quota = own, nil
			return
		}
		own = nil
	}
	if want == nil {
		return
	}
	var mine Limits
	if own != nil {
		mine = own.Limits
	}
	claim, settled := maps.Clone(mine), Limits{}
	if claim == nil {
		claim = Limits{}
	}
	var changes []QuotaChange
	found := seen.Quotas[want.Entity]
	for _, key := range want.Limits.keys() {
		value := want.Limits[key]
		is, there := found[key]
		_, owned := mine[key]
		switch {
		case there && is == value && !owned:
			continue // somebody else's, and as it should be
		case there && !owned:
			p.Refusals = append(p.Refusals, Refusal{v1alpha1.ReasonQuotaExists, fmt.Sprintf(
				"spec.quota: %s has %s %s already, which this profile did not set, and wants %s; remove that one (kafka-configs --alter --delete-config %s), or ask for the same value",
				want.Entity, key, number(is), number(value), key)})
			continue
		case !there || is != value:
			changes = append(changes, QuotaChange{key, new(value)})
		}
		claim[key], settled[key] = value, value
	}
	retired := maps.Clone(mine)
	maps.DeleteFunc(retired, func(key string, _ float64) bool { _, wanted := want.Limits[key]; return wanted })
	changes = append(changes, removals(retired, found)...)
	if len(changes) > 0 {
		p.Steps = append(p.Steps, SetQuota{want.Entity, changes})
	}
	p.Claim.Quota, p.Settled.Quota = quotaOf(want.Entity, claim), quotaOf(want.Entity, settled)
}

// removals take away the keys of ours that are there.
func removals(mine, found Limits) []QuotaChange {
	var changes []QuotaChange
	for _, key := range mine.keys() {
		if _, there := found[key]; there {
			changes = append(changes, QuotaChange{Key: key})
		}
	}
	return changes
}

func quotaOf(e Entity, l Limits) *Quota {
	if len(l) == 0 {
		return nil
	}
	return &Quota{e, l}
}

// planACLs grants what is missing and revokes what is ours and not wanted any more, unless it is another profile's too.
func (p *Plan) planACLs(want, seen, own []ACL, others Siblings) {
	want, seen, own = tidy(want), tidy(seen), tidy(own)
	missing := without(want, seen)
	// What another profile made is no stranger's: it is ours as well, and goes with the last of us.
	shared := among(among(want, seen), others.Owned)
	retired := without(own, want)
	kept := among(retired, others.Kept)
	p.Awaited = without(kept, others.Taken)
	revoked := without(retired, kept)

	mine := tidy(slices.Concat(among(want, own), missing, shared))
	p.Claim.ACLs = tidy(slices.Concat(mine, revoked, p.Awaited))
	p.Settled.ACLs = tidy(slices.Concat(mine, p.Awaited))
	if len(missing) > 0 {
		p.Steps = append(p.Steps, Grant{missing})
	}
	if gone := among(revoked, seen); len(gone) > 0 {
		p.Steps = append(p.Steps, Revoke{gone})
	}
	for _, a := range seen {
		if i := slices.IndexFunc(want, a.covers); a.Deny && i >= 0 {
			p.Notes = append(p.Notes, fmt.Sprintf("an ACL that this profile did not make stands against it: %s; it is stronger than what allows %s on %s",
				a, want[i].Operation, want[i].on()))
		}
	}
}

// Drifted are the lines of a plan that put back what the profile had put there already, and somebody changed.
func (p Plan) Drifted(own Owned) []string {
	var lines []string
	for _, s := range p.Steps {
		switch s := s.(type) {
		case Grant:
			lines = append(lines, linesOf("", among(s.ACLs, own.ACLs))...)
		case SetQuota:
			if own.Quota == nil || own.Quota.Entity != s.Entity {
				continue
			}
			for _, c := range s.Changes {
				if had, ours := own.Quota.Limits[c.Key]; ours && c.To != nil && had == *c.To {
					lines = append(lines, c.line(s.Entity))
				}
			}
		}
	}
	return lines
}

// Tidy orders what was gathered, so that the same profiles make the same Siblings.
func (s Siblings) Tidy() Siblings {
	return Siblings{Owned: tidy(s.Owned), Kept: tidy(s.Kept), Taken: tidy(s.Taken)}
}

package inject

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// change is what an injection does to one container's variables, and what it has to remember.
type change struct {
	container string
	policy    v1alpha1.ConflictPolicy
	// own are the container's variables, ours not among them.
	own       []corev1.EnvVar
	prepend   []corev1.EnvVar
	replaced  []Replaced
	merged    []Merged
	decisions []Decision
	refusal   *Refusal
}

// together are the endings of the variables that clients accept only all together: acks=1 beside enable.idempotence=true
// keeps the Java client from starting.
var together = []string{"ACKS", "ENABLEIDEMPOTENCE", "RETRIES", "MAXINFLIGHTREQUESTSPERCONNECTION", "MAXINFLIGHT", "TRANSACTIONALID", "TRANSACTIONIDPREFIX"}

// canonical is a name without what Spring and MicroProfile ignore in names: case, dots, dashes and underscores.
func canonical(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

func goesTogether(name string) bool {
	c := canonical(name)
	return slices.ContainsFunc(together, func(end string) bool { return strings.HasSuffix(c, end) })
}

// inject puts variables before the container's own, so that these can refer to them with $(NAME).
func (c *change) inject(vars []variable) {
	kept := c.keptClients(vars)
	for _, v := range vars {
		at := c.indexes(v.Name)
		switch {
		case len(at) == 0 && slices.Contains(kept, v.client) && goesTogether(v.Name):
			c.decide(ReasonLeftOut, v.Name, "the container's own setting of acks, retries, idempotence or requests in flight was kept, and clients take these all together or not at all")
		case len(at) == 0:
			c.prepend = append(c.prepend, v.EnvVar)
		case v.ifUnset || c.agrees(at, v):
			if v.ifUnset {
				c.decide(ReasonKept, v.Name, "the container sets it, and a value that is there already is never moved")
			}
		case c.policy == v1alpha1.ConflictDeny:
			c.deny(v.Name, "sets it to another value than the profile's")
		case c.policy == v1alpha1.ConflictKeep:
			c.decide(ReasonKept, v.Name, "the container's own value stays (conflict Keep): the profile is not enforced by it")
		default:
			c.decide(ReasonOverridden, v.Name, "the container's own "+describe(c.own[at[0]])+" was replaced by the profile's")
			c.replace(v)
		}
	}
}

// keptClients are the clients of which a container keeps a setting that goes together with others.
func (c *change) keptClients(vars []variable) []producer.Client {
	if c.policy != v1alpha1.ConflictKeep {
		return nil
	}
	var kept []producer.Client
	for _, v := range vars {
		if at := c.indexes(v.Name); len(at) > 0 && goesTogether(v.Name) && !c.agrees(at, v) {
			kept = append(kept, v.client)
		}
	}
	return kept
}

// agrees says whether a container's own variable already has the value. A value from elsewhere is not known.
func (c *change) agrees(at []int, v variable) bool {
	last := c.own[at[len(at)-1]] // of several, the last one counts
	return last.ValueFrom == nil && v.ValueFrom == nil && last.Value == v.Value
}

func (c *change) indexes(name string) []int {
	var at []int
	for i := range c.own {
		if c.own[i].Name == name {
			at = append(at, i)
		}
	}
	return at
}

// replace takes the container's own variable out whole: one that had valueFrom must never have a value too.
func (c *change) replace(v variable) {
	var rest []corev1.EnvVar
	for i := range c.own {
		if c.own[i].Name == v.Name {
			c.replaced = append(c.replaced, Replaced{c.container, len(rest), c.own[i]})
			continue
		}
		rest = append(rest, c.own[i])
	}
	c.own = rest
	c.prepend = append(c.prepend, v.EnvVar)
}

func (c *change) decide(reason Reason, subject, message string) {
	c.decisions = append(c.decisions, Decision{reason, c.container, subject, message})
}

func (c *change) deny(name, what string) {
	if c.refusal == nil {
		c.refusal = refuse(ReasonEnvConflict, "", "container %s: env %s: it %s, and spec.injection.conflict is Deny; remove the variable, or set conflict to Override or Keep",
			c.container, name, what)
	}
}

// describe is a variable's value in words; a value may be a secret, so it is not repeated.
func describe(e corev1.EnvVar) string {
	switch from := e.ValueFrom; {
	case from == nil:
		return "value"
	case from.ConfigMapKeyRef != nil:
		return "reference to ConfigMap " + from.ConfigMapKeyRef.Name
	case from.SecretKeyRef != nil:
		return "reference to Secret " + from.SecretKeyRef.Name
	}
	return "reference"
}

// noteEnvFrom reports the sources that admission does not read: what they set is overridden without a trace by any variable
// of the same name.
func (c *change) noteEnvFrom(from []corev1.EnvFromSource) {
	for _, source := range from {
		name := ""
		switch {
		case source.ConfigMapRef != nil:
			name = "ConfigMap " + source.ConfigMapRef.Name
		case source.SecretRef != nil:
			name = "Secret " + source.SecretRef.Name
		}
		c.decide(ReasonUnseen, name, "envFrom: variables of it with the name of an injected one are overridden; admission does not read it, so nobody can say which")
	}
}

package principal

import (
	"cmp"
	"fmt"
	"slices"
)

// Resource is a type of resource that ACLs are about, as Kafka's tools spell it.
type Resource string

// The resources that producers need.
const (
	ResourceTopic           Resource = "TOPIC"
	ResourceCluster         Resource = "CLUSTER"
	ResourceTransactionalID Resource = "TRANSACTIONAL_ID"
)

// Pattern says how a resource's name is meant.
type Pattern string

// The patterns (KIP-290).
const (
	Literal  Pattern = "LITERAL"
	Prefixed Pattern = "PREFIXED"
)

// Operation is what is allowed or denied.
type Operation string

// The operations that producers need; All stands for every one.
const (
	Write           Operation = "WRITE"
	Describe        Operation = "DESCRIBE"
	IdempotentWrite Operation = "IDEMPOTENT_WRITE"
	All             Operation = "ALL"
)

// AnyHost is the host of every ACL that a profile creates.
const AnyHost = "*"

// clusterName is the name of the one CLUSTER resource.
const clusterName = "kafka-cluster"

// ACL is one entry of the authorizer. It is comparable.
type ACL struct {
	Principal, Host string
	Resource        Resource
	Pattern         Pattern
	Name            string
	Operation       Operation
	// Deny makes it a DENY, which is stronger than any ALLOW.
	Deny bool
}

// String is the ACL in a line, with the words of kafka-acls.
func (a ACL) String() string {
	verb := "allow"
	if a.Deny {
		verb = "deny"
	}
	return fmt.Sprintf("%s %s on %s to %s", verb, a.Operation, a.on(), a.Principal)
}

func (a ACL) on() string {
	if a.Resource == ResourceCluster {
		return "the cluster"
	}
	if a.Pattern == Prefixed {
		return fmt.Sprintf("%s %s*", a.Resource, a.Name)
	}
	return fmt.Sprintf("%s %s", a.Resource, a.Name)
}

// covers says whether a DENY reaches what an ALLOW is about: each name that the ALLOW means, or some of them.
func (a ACL) covers(b ACL) bool {
	if a.Resource != b.Resource || (a.Operation != All && a.Operation != b.Operation) {
		return false
	}
	switch {
	case a.Pattern == Literal && (a.Name == "*" || a.Name == b.Name):
		return true
	case a.Pattern == Literal:
		return b.Pattern == Prefixed && hasPrefix(a.Name, b.Name)
	}
	return hasPrefix(b.Name, a.Name) || (b.Pattern == Prefixed && hasPrefix(a.Name, b.Name))
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

func compareACLs(a, b ACL) int {
	return cmp.Or(
		cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Pattern, b.Pattern),
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Host, b.Host),
	)
}

// tidy sorts ACLs and drops those that are there twice.
func tidy(acls []ACL) []ACL {
	acls = slices.Clone(acls)
	slices.SortFunc(acls, compareACLs)
	return slices.Compact(acls)
}

// without are the ACLs that are not among others.
func without(acls []ACL, others ...[]ACL) []ACL {
	drop := make(map[ACL]bool)
	for _, list := range others {
		for _, a := range list {
			drop[a] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(acls), func(a ACL) bool { return drop[a] })
}

// among are the ACLs that are in the other list too.
func among(acls, others []ACL) []ACL {
	return without(acls, without(acls, others))
}

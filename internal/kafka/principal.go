package kafka

import (
	"context"

	"mooring.dev/mooring/internal/principal"
)

// Principals is the part of a cluster that says who may do what, and how much of it. Every error is an *Error; a cluster
// without an authorizer answers ClassNoAuthorizer to what is about ACLs.
type Principals interface {
	// ObservePrincipals asks for the quotas of these entities and the ACLs of these principals (KIP-546, KIP-140): one
	// request for each. It is not shared with anybody, and nothing is kept.
	ObservePrincipals(ctx context.Context, entities []principal.Entity, principals []string) (principal.Observed, error)

	// ApplyPrincipal carries out one step. To do again what was done is no error.
	ApplyPrincipal(ctx context.Context, s principal.Step) error
}

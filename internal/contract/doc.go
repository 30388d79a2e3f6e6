// Package contract is the JSON that a pod carries and the producer shim reads: one producer policy, resolved, with
// everything that is needed to enforce it and no secret. It is written at admission, kept current afterwards, and read by
// a binary that may be older or newer than the writer, so the format is versioned (see Version).
//
// The package stands on the standard library alone: the shim runs in every pod, and links no Kubernetes code.
package contract

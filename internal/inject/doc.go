// Package inject gives a pod the producer contract: Mutate is a pure, total and idempotent function from a pod and a binding
// to a pod and a report. The webhook, the controller that keeps running pods current, and the command line share it.
package inject

// Package conformance asks the clients themselves: is Mooring's verdict on a producer configuration theirs? It is a module
// of its own, so that client libraries stay out of the operator's go.mod. README.md says how to run it.
package conformance

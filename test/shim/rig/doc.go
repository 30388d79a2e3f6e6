// Package rig is what the proofs of the shim stand on: the shim as a process of its own, a relay before the brokers that
// records what arrives there and breaks connections on demand, clients in other languages, and the logs as the brokers have them.
package rig

import "fmt"

// Say prints a line for people who wait; hack/tiers shows such lines at once.
func Say(format string, args ...any) { fmt.Printf("==> "+format+"\n", args...) }

// Package fleet is a test tier of its own: two operators as processes, both serving at admission behind one address, a real
// kube-apiserver, and a real kube-controller-manager that rolls out what is annotated. There is no node: where pods have to
// become ready, the suite says so in the kubelet's place. The specs are behind the build tag fleet; `make test-fleet` runs
// them.
package fleet

// Package node makes the place that a node runs in, and takes it away again: a
// network namespace joined to the machine, cgroups, and the files that the node's
// components read.
//
// Whatever it makes outside of the control plane's folder has the node's ID in its
// name, or is written down before it is made. So TearDown needs no more than the
// Layout, works after any crash, and can be repeated.
package node

// Package e2e is test tier 4: the operator as users install it, on a real node (kubelet, containerd, kube-proxy), with three
// real Apache Kafka brokers beside it. The specs are behind the build tag e2e; `make test-e2e` runs them, as root on Linux.
//
// A spec stands on three things that the suite starts: node (the cluster, and how to run programs in it), brokers, and the
// operator from config/default. Programs for pods are Go main packages, built into images without Docker: see Node.Program.
// Those that know nothing of Mooring are in apps; what they were told is compared with what is on the brokers: see account.
package e2e

// Package kafka is test tier 3: the operator as a process, a real API server, and three real Apache Kafka brokers that are
// killed, paused and reconfigured under it. The specs are behind the build tag kafka; `make test-kafka` runs them.
package kafka

// Package sink writes the HTTP listener's records through one shared Kafka producer, configured by the contract: acks,
// idempotence, batching, partitioning, limits and timeouts are the profile's.
//
// A request is a Batch. All the memory that it holds, its body and what its records cost, is reserved in one account whose
// limit is buffer.memory, from the first byte that is read until the last record has its outcome: a request that does not fit
// is refused whole, before anything of it is written.
//
// An outcome is the brokers' word on one record. A record whose outcome has not come within the delivery timeout is reported
// as unknown, and goes on: an idempotent producer must not forget what it has sent.
package sink

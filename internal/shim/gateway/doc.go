// Package gateway is the shim's HTTP listener: it takes records over HTTP, for apps without a Kafka client, and answers with
// the brokers' word on each.
//
// It speaks what clients already speak: Confluent REST v2 (with Strimzi Bridge's headers, timestamp and async), Confluent REST
// v3, and a raw route whose value is the body, with NDJSON and CloudEvents. All of it goes through one producer, package sink,
// under the contract; package body reads the bodies and package replay remembers requests with an Idempotency-Key.
//
// What a status code promises is the same in every dialect: 2xx is said of records that the brokers acknowledged under the
// profile, or, of async requests, that were accepted; any other status that nothing of the request was acknowledged.
package gateway

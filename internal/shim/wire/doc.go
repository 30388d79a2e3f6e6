// Package wire reads Kafka's protocol as far as a proxy has to: frames, request headers, the skeleton of a Produce request
// and the header of a record batch. Bodies stay bytes. Nothing here trusts a length: no parser reads outside what it was
// given, and none allocates in proportion to a number that a peer merely claims.
package wire

// Package producer is the producer contract: what a ProducerProfile comes to, whether it holds together, and how each
// client is told. It is pure. Resolve gathers every value with its origin, Validate judges them by one table of rules,
// Render writes them in each client's own names and spellings. Nothing here reads a clock, a network or an API server.
package producer

// Package topic decides what is to be done about one topic. It is pure: MakePlan takes what is wanted, what was seen and
// what is allowed, and returns a Plan, which is data that prints. Nothing here reads a clock, a network or an API server.
package topic

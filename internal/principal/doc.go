// Package principal says what a ProducerProfile wants the brokers to hold for its producers, a client quota and ACLs, and
// how to get there from what they hold. It is pure. What a profile did not put there is left alone: every decision takes
// what is the profile's own (Owned, kept in its status) beside what was seen.
package principal

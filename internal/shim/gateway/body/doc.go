// Package body reads the bodies of produce requests: Confluent REST v2 (with Strimzi's additions) and v3, NDJSON and
// CloudEvents. It is pure: bytes in, records or one error out.
//
// It is strict, because a gateway that guesses writes what nobody sent: JSON is RFC 8259 in UTF-8, without a name twice in an
// object, without bytes after the value, nested at most MaxDepth deep; numbers must fit what they are for; base64 is the
// standard alphabet with padding.
//
// The envelope that the dialects share is scanned by hand, because its strings are nearly all of a body: a base64 string is
// validated and decoded in place, in one pass, and the records' keys and values are parts of the body. What is inside an
// embedded JSON value, and any string with an escape, goes through jsontext.
package body

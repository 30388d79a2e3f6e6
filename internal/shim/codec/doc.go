// Package codec encodes JSON values by schemas: Avro, JSON Schema and Protobuf. It runs in a program of its own, mooring-schemas,
// which the shim starts when somebody sends what needs a schema. So the libraries, which take 6 MB of memory before they do
// anything, cost nobody else; and a schema that is made to take all memory, or all time, ends that program and not the shim.
//
// Schemas and values come from senders, and both may be hostile. Nothing is fetched from an address that a schema names, and whatever
// is wrong with one is an error.
package codec

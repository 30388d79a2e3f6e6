// Package schema encodes keys and values by a schema, in the wire format of Confluent's serializers: a zero byte, the schema's ID
// in four bytes, for Protobuf the path to the message, and then Avro's binary encoding, the JSON text, or Protobuf's.
//
// A sender names the schema as Confluent REST has it: by its text, which is registered for the topic's key or value, by its ID, or,
// in v3, by a subject and a version of it. Schemas do not change under an ID, so that what was once looked up is kept, within
// bounds: the registry is asked once for each schema and not once for each record.
//
// The encoding itself is done by a program of its own, mooring-schemas (package codec), which is started when somebody sends what
// needs a schema: a pod that never does has none of its memory. Schemas come from senders, and both they and values may be hostile: a
// schema is bounded in its length and in what it refers to, and in the time that the program may take.
package schema

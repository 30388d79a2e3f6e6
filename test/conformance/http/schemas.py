"""Reads a topic with the deserializers of Confluent's own library: schemas.py REGISTRY BOOTSTRAP TOPIC FORMAT COUNT."""
import json
import sys

from confluent_kafka import DeserializingConsumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

registry, bootstrap, topic, kind, count = sys.argv[1:6]
client = SchemaRegistryClient({"url": registry})


def order():
    """The class that protoc would have generated."""
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", syntax="proto3")
    message = file.message_type.add(name="Order")
    message.field.add(name="item", number=1, type=9, label=1)
    message.field.add(name="count", number=2, type=5, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Order"))


def plain(value):
    return json_format.MessageToDict(value) if hasattr(value, "DESCRIPTOR") else value


def protobuf(data, _):
    """By hand, but for the message itself: Confluent's deserializer wants the schema as protoc's bytes, which Apicurio does not have."""
    assert data[0] == 0 and data[5] == 0, data
    assert "message Order" in client.get_schema(int.from_bytes(data[1:5], "big")).schema_str
    return order().FromString(data[6:])


avro = AvroDeserializer(client)
values = {
    "avro": avro,
    "jsonschema": JSONDeserializer(None, schema_registry_client=client),
    "protobuf": protobuf,
}
consumer = DeserializingConsumer({
    "bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest",
    "key.deserializer": avro if kind == "avro" else None, "value.deserializer": values[kind],
})
consumer.subscribe([topic])
while int(count) > 0:
    record = consumer.poll(30)
    if record is None:
        sys.exit("no more records came")
    key = record.key().decode() if isinstance(record.key(), bytes) else record.key()
    print(json.dumps([key, plain(record.value())], sort_keys=True))
    count = int(count) - 1
consumer.close()

"""librdkafka at its defaults: librdkafka.py BOOTSTRAP TOPIC RECORDS [HOW]. HOW is defaults, or weak: acks=0."""

import json
import sys
import time

import confluent_kafka
from confluent_kafka import admin


def administer(common, topic):
    client = admin.AdminClient(common)
    nodes = len(client.list_topics(timeout=20).brokers)
    other = topic + "-admin"
    client.create_topics([admin.NewTopic(other, 1, 3)])[other].result(20)
    resource = admin.ConfigResource(admin.ConfigResource.Type.TOPIC, other)
    configs = described(client, resource)
    client.delete_topics([other])[other].result(20)
    return "%d nodes, topic created and deleted, %s" % (nodes, "configs" if configs else "no configs")


def described(client, resource):
    """The brokers learn of a topic one by one, and any of them is asked."""
    end = time.monotonic() + 20
    while True:
        try:
            return client.describe_configs([resource])[resource].result(20)
        except confluent_kafka.KafkaException as unknown:
            if time.monotonic() > end or unknown.args[0].code() != confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise


def main():
    bootstrap, topic, records, how = sys.argv[1:5]
    records = int(records)
    common = {"bootstrap.servers": bootstrap, "client.id": "librdkafka-" + how}
    said = administer(common, topic)
    settings = dict(common)
    if how == "weak":
        settings["acks"] = 0
    producer = confluent_kafka.Producer(settings, logger=None)
    failed = []
    for i in range(records):
        producer.produce(topic, key=b"key-%d" % i, value=b"record-%d" % i, on_delivery=lambda error, _: error and failed.append(str(error)))
    if producer.flush(60) or failed:
        sys.exit("not written: %s" % failed[:3])
    consumer = confluent_kafka.Consumer(dict(common, **{"group.id": topic, "auto.offset.reset": "earliest"}), logger=None)
    consumer.subscribe([topic])
    consumed, end = 0, time.monotonic() + 60
    while consumed < records and time.monotonic() < end:
        message = consumer.poll(0.2)
        if message is not None and not message.error():
            consumed += 1
    consumer.commit(asynchronous=False)
    consumer.close()
    print(json.dumps({"admin": said, "produced": records, "consumed": consumed}))


main()

"""kafka-python: kafkapython.py BOOTSTRAP TOPIC RECORDS HOW. HOW is defaults, or weak: acks=1 without idempotence."""

import json
import sys
import time

import kafka
from kafka.admin import KafkaAdminClient, NewTopic


def main():
    bootstrap, topic, records, how = sys.argv[1:5]
    records = int(records)
    name = "kafka-python-" + how
    client = KafkaAdminClient(bootstrap_servers=bootstrap, client_id=name)
    nodes = len(client.describe_cluster()["brokers"])
    client.create_topics([NewTopic(topic + "-admin", 1, 3)])
    client.delete_topics([topic + "-admin"])
    client.close()
    settings = {"acks": 1, "enable_idempotence": False} if how == "weak" else {}
    producer = kafka.KafkaProducer(bootstrap_servers=bootstrap, client_id=name, **settings)
    waiting = [producer.send(topic, key=b"key-%d" % i, value=b"record-%d" % i) for i in range(records)]
    for one in waiting:
        one.get(timeout=60)
    producer.close()
    consumer = kafka.KafkaConsumer(topic, bootstrap_servers=bootstrap, client_id=name, group_id=topic, auto_offset_reset="earliest")
    consumed, end = 0, time.monotonic() + 60
    while consumed < records and time.monotonic() < end:
        for batch in consumer.poll(timeout_ms=200).values():
            consumed += len(batch)
    consumer.commit()
    consumer.close()
    print(json.dumps({"admin": "%d nodes, topic created and deleted" % nodes, "produced": records, "consumed": consumed}))


main()

"""Clients of REST proxies for Kafka in Python, unmodified: clients.py URL TOPIC RECORDS CLIENT."""
import json
import sys

url, topic, count, client = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
if client == "nlp-kafka-rest-api":  # Confluent REST v2, JSON
    from kafka_rest import Producer

    producer = Producer(kafka_rest_api_url=url, topic_id=topic)
    for i in range(0, count, 10):
        numbers = range(i, min(i + 10, count))
        producer.produce(["record-%d" % n for n in numbers], "orders", keys=["key-%d" % n for n in numbers])
elif client == "kafka-bridge-client":  # Strimzi Bridge, binary and JSON
    from kafka_bridge_client import KafkaBridgeProducer, Message

    bridge = KafkaBridgeProducer(url, timeout=30)
    for i in range(count):
        message = Message(key="key-%d" % i, value=("record-%d" % i).encode()) if i % 2 else Message(key="key-%d" % i, value="record-%d" % i)
        assert bridge.send(topic, message, binary=bool(i % 2))
print(json.dumps({"produced": count}))

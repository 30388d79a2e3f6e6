"""aiokafka at its defaults, which are acks=1 without idempotence: aiokafka_client.py BOOTSTRAP TOPIC RECORDS HOW."""

import asyncio
import json
import sys

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic


async def main():
    bootstrap, topic, records, how = sys.argv[1:5]
    records = int(records)
    name = "aiokafka-" + how
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id=name)
    await client.start()
    nodes = len((await client.describe_cluster())["brokers"])
    await client.create_topics([NewTopic(topic + "-admin", 1, 3)])
    await client.delete_topics([topic + "-admin"])
    await client.close()
    settings = {"acks": 0} if how == "weak" else {}
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, client_id=name, **settings)
    await producer.start()
    waiting = [await producer.send(topic, key=b"key-%d" % i, value=b"record-%d" % i) for i in range(records)]
    await asyncio.gather(*waiting)
    await producer.stop()
    consumer = aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, client_id=name, group_id=topic, auto_offset_reset="earliest")
    await consumer.start()
    consumed, end = 0, asyncio.get_running_loop().time() + 60
    while consumed < records and asyncio.get_running_loop().time() < end:
        for batch in (await consumer.getmany(timeout_ms=200)).values():
            consumed += len(batch)
    await consumer.commit()
    await consumer.stop()
    print(json.dumps({"admin": "%d nodes, topic created and deleted" % nodes, "produced": records, "consumed": consumed}))


asyncio.run(main())

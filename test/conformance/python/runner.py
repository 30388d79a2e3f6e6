"""Says what librdkafka does with producer configurations.

Reads one JSON object of settings a line from standard input, makes a real producer with it, and prints one JSON object a
line: outcome (accepted or refused) and message. With "produce TOPIC" it reads one line and writes one record.
"""

import json
import sys

import confluent_kafka


def judge(settings):
    try:
        producer = confluent_kafka.Producer(settings, logger=None)
    except Exception as refused:  # KafkaException, and TypeError or ValueError of the binding itself
        return {"outcome": "refused", "message": str(refused)}
    del producer
    return {"outcome": "accepted"}


def produce(settings, topic):
    producer = confluent_kafka.Producer(settings)
    transactional = "transactional.id" in settings
    if transactional:
        producer.init_transactions(30)
        producer.begin_transaction()
    outcome = {}

    def delivered(error, message):
        outcome.update({"error": str(error)} if error else {"partition": message.partition(), "offset": message.offset()})

    producer.produce(topic, key=b"key", value=b"librdkafka", on_delivery=delivered)
    producer.flush(30)
    if transactional:
        producer.commit_transaction(30)
    if "error" in outcome or not outcome:
        sys.exit("the record was not written: %s" % outcome)
    print(json.dumps(outcome))


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "produce":
        produce(json.loads(sys.stdin.readline()), sys.argv[2])
        return
    for line in sys.stdin:
        print(json.dumps(judge(json.loads(line))), flush=True)


main()

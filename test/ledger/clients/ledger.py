"""Writes numbered records with librdkafka at its defaults, and a ledger of what it was told.

ledger.py BOOTSTRAP TOPIC PARTITIONS PRODUCER RATE LEDGER; it ends with its standard input.
"""

import sys
import threading
import time

import confluent_kafka


def main():
    bootstrap, topic, partitions, me, rate, path = sys.argv[1:7]
    partitions, rate = int(partitions), float(rate)
    ledger = open(path, "w", buffering=1 << 16)
    counts = {"A": 0, "F": 0}
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap}, logger=None)

    def delivered(partition, number):
        def report(error, _):
            kind = "F" if error else "A"
            counts[kind] += 1
            ledger.write("%s %d %d\n" % (kind, partition, number))
            if error:
                ledger.write("# %s\n" % error)

        return report

    over = threading.Event()

    def wait_for_the_end():
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    numbers, begin, written, said = [0] * partitions, time.monotonic(), 0, 0.0
    while not over.is_set():
        for partition in range(partitions):
            for _ in range(20):
                number = numbers[partition]
                numbers[partition] += 1
                value = ("%s %d %d " % (me, partition, number)).ljust(100, ".").encode()
                while True:
                    try:
                        producer.produce(topic, value, partition=partition, on_delivery=delivered(partition, number))
                        break
                    except BufferError:
                        producer.poll(0.1)
                written += 1
            producer.poll(0)
        ahead = written / rate - (time.monotonic() - begin)
        if ahead < -1:
            begin -= ahead  # what was missed while the brokers were away is not made up for in a burst
        due = time.monotonic() + ahead
        while time.monotonic() < due and not over.is_set():
            producer.poll(min(0.1, max(0, due - time.monotonic())))
        if time.monotonic() - said > 0.5:
            said = time.monotonic()
            ledger.flush()
            print(counts["A"], counts["F"], flush=True)
    left = producer.flush(320)
    ledger.close()
    print(counts["A"], counts["F"], flush=True)
    if left:
        sys.exit("%d records have no outcome" % left)


main()

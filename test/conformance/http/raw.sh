# The body is the record: a value of any bytes, an empty one, and none at all.
printf 'two\nlines' | curl -sSf --data-binary @- -H 'Content-Type: text/plain' -H 'Kafka-Key: k1' -H 'Kafka-Header: trace=a=b' "$URL/v1/topics/$TOPIC/records"
curl -sSf -X POST -H 'Kafka-Key-Base64: AP8=' -H 'Kafka-Partition: 2' -H 'Kafka-Timestamp: 1767319445678' "$URL/v1/topics/$TOPIC/records" -d ''
curl -sSf -X POST -H 'Kafka-Key: k1' -H 'Kafka-Tombstone: true' "$URL/v1/topics/$TOPIC/records"
# Twice with one key: written once, answered twice with the same.
for i in 1 2; do
  curl -sSf --data-binary once -H 'Idempotency-Key: raw-1' "$URL/v1/topics/$TOPIC/records"
done > answers
test "$(sort -u answers | wc -l)" = 1

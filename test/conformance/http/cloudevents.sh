# Binary mode, structured mode, and a batch.
curl -sSf -H 'ce-specversion: 1.0' -H 'ce-id: 1' -H 'ce-source: /shop' -H 'ce-type: order' -H 'ce-partitionkey: k1' -H 'Content-Type: text/plain' \
  --data-binary 'paid' "$URL/v1/topics/$TOPIC/records"
curl -sSf -H 'Content-Type: application/cloudevents+json' -d '{"specversion":"1.0","id":"2","source":"/shop","type":"order","partitionkey":"k2","data":{"item":1}}' \
  "$URL/v1/topics/$TOPIC/records"
curl -sSf -H 'Content-Type: application/cloudevents-batch+json' \
  -d '[{"specversion":"1.0","id":"3","source":"/shop","type":"order"},{"specversion":"1.0","id":"4","source":"/shop","type":"order"}]' "$URL/v1/topics/$TOPIC/records"

# The schemas by their text the first time, and by their IDs from then on, as Confluent's clients do.
order='{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"item\",\"type\":\"string\"},{\"name\":\"count\",\"type\":[\"null\",\"int\"]}]}'
v2() { curl -sSf -H 'Content-Type: application/vnd.kafka.avro.v2+json' "$URL/topics/$TOPIC" -d "$1"; }
v2 "{\"key_schema\":\"\\\"string\\\"\",\"value_schema\":\"$order\",\"records\":[{\"key\":\"k1\",\"value\":{\"item\":\"a\",\"count\":{\"int\":1}}},{\"key\":\"k2\",\"value\":{\"item\":\"b\",\"count\":null}}]}" > answer
key=$(sed 's/.*"key_schema_id":\([0-9]*\).*/\1/' answer) value=$(sed 's/.*"value_schema_id":\([0-9]*\).*/\1/' answer)
v2 "{\"key_schema_id\":$key,\"value_schema_id\":$value,\"records\":[{\"key\":\"k3\",\"value\":{\"item\":\"c\",\"count\":{\"int\":3}}}]}"
# v3 by the ID; and what is not of the schema is refused.
id=$(curl -sSf "$URL/v3/clusters" | sed 's/.*"cluster_id":"\([^"]*\)".*/\1/')
curl -sSf -H 'Content-Type: application/json' "$URL/v3/clusters/$id/topics/$TOPIC/records" \
  -d "{\"key\":{\"schema_id\":$key,\"data\":\"k4\"},\"value\":{\"subject\":\"$TOPIC-value\",\"schema_version\":1,\"data\":{\"item\":\"d\",\"count\":null}}}" > answer
grep -q '"type":"AVRO"' answer
status=$(curl -sS -o refusal -w '%{http_code}' -H 'Content-Type: application/vnd.kafka.avro.v2+json' "$URL/topics/$TOPIC" -d "{\"value_schema_id\":$value,\"records\":[{\"value\":{\"item\":7}}]}")
test "$status" = 422 && grep -q 42203 refusal
# A schema that is not compatible with the one before: the registry refuses it.
curl -sSf -X PUT -H 'Content-Type: application/json' "$REGISTRY/config/$TOPIC-value" -d '{"compatibility":"BACKWARD"}'
status=$(curl -sS -o refusal -w '%{http_code}' -H 'Content-Type: application/vnd.kafka.avro.v2+json' "$URL/topics/$TOPIC" -d '{"value_schema":"\"int\"","records":[{"value":7}]}')
test "$status" = 422 && grep -q 42205 refusal

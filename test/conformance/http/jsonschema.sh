schema='{\"type\":\"object\",\"title\":\"Order\",\"required\":[\"item\"],\"properties\":{\"item\":{\"type\":\"string\"},\"count\":{\"type\":\"integer\"}}}'
post() { curl -sS -o answer -w '%{http_code}' -H 'Content-Type: application/vnd.kafka.jsonschema.v2+json' "$URL/topics/$TOPIC" -d "{\"value_schema\":\"$schema\",\"records\":[$1]}"; }
test "$(post '{"value":{"item":"a","count":1}},{"value":{"item":"b"}}')" = 200
test "$(post '{"value":{"count":1}}')" = 422 && grep -q 42203 answer

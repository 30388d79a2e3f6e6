schema='syntax = \"proto3\"; message Order { string item = 1; int32 count = 2; }'
post() { curl -sS -o answer -w '%{http_code}' -H 'Content-Type: application/vnd.kafka.protobuf.v2+json' "$URL/topics/$TOPIC" -d "{\"value_schema\":\"$schema\",\"records\":[$1]}"; }
test "$(post '{"value":{"item":"a","count":1}},{"value":{"item":"b"}}')" = 200
test "$(post '{"value":{"color":1}}')" = 422 && grep -q 42203 answer

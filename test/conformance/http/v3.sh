# Confluent REST v3: one record, a stream that is answered while it goes on, and a batch.
id=$(curl -sSf "$URL/v3/clusters" | sed 's/.*"cluster_id":"\([^"]*\)".*/\1/')
records="$URL/v3/clusters/$id/topics/$TOPIC/records"
curl -sSf -H 'Content-Type: application/json' "$records" \
  -d '{"key":{"type":"STRING","data":"k1"},"value":{"type":"JSON","data":{"item":1}},"headers":[{"name":"trace","value":"YWI="}]}' > answer
grep -q '"error_code":200' answer
{
  echo '{"value":{"type":"STRING","data":"s1"}}'
  # The second is sent once the first is answered: the answer comes while the request goes on.
  for try in $(seq 300); do grep -q '"error_code":200' stream && touch early && break; sleep 0.1; done
  echo '{"value":{"type":"BINARY","data":"AP8="},"partition_id":2}{"value":{"type":"STRING","data":"nowhere"},"partition_id":99}'
} | curl -sSfN -X POST -T . -H 'Content-Type: application/json' "$records" > stream
test -f early
test "$(grep -c '"error_code":200' stream)" = 2 && test "$(grep -c '"error_code":40402' stream)" = 1
status=$(curl -sS -o batch -w '%{http_code}' -H 'Content-Type: application/json' "$records:batch" \
  -d '{"entries":[{"id":"a","value":{"type":"STRING","data":"b1"}},{"id":"b","value":{"type":"STRING","data":"nowhere"},"partition_id":99}]}')
test "$status" = 207 && grep -q '"successes":\[{"id":"a","error_code":200' batch && grep -q '"failures":\[{"id":"b","error_code":40402' batch

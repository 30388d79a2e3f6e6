# Confluent REST v2 in its formats, to the topic and to a partition; Strimzi's text, headers and async beside.
v2() { curl -sSf -H "Content-Type: application/vnd.kafka.$1.v2+json" -H 'Accept: application/vnd.kafka.v2+json' "$URL/topics/$TOPIC$2" -d "$3"; }
v2 binary '' '{"records":[{"key":"azE=","value":"AAH/"},{"key":"azE=","value":null}]}' > answer
grep -q '"error_code":null' answer
v2 json /partitions/1 '{"records":[{"key":{"id":1},"value":[1, 2.50]}]}' > answer
grep -q '"partition":1' answer
v2 text '' '{"records":[{"key":"k1","value":"text","headers":[{"key":"trace","value":"YWI="}]}]}'
v2 json '?async=true' '{"records":[{"value":"async"}]}'
curl -sSf "$URL/topics/$TOPIC" | grep -q '"partition":2'
curl -sSf "$URL/topics" | grep -q "\"$TOPIC\""

printf '{"n":1}\n{"n": 2}\r\n\n"three"\n' | curl -sSf --data-binary @- -H 'Content-Type: application/x-ndjson' "$URL/v1/topics/$TOPIC/records" > answer
grep -q '"written":3,"failed":0' answer
# A line that is no JSON: nothing of the request is written.
status=$(printf '{"n":4}\n{"n":\n' | curl -sS -o refusal -w '%{http_code}' --data-binary @- -H 'Content-Type: application/x-ndjson' "$URL/v1/topics/$TOPIC/records")
test "$status" = 400 && grep -q 'record 1' refusal

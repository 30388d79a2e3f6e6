// kafka-rest, Confluent's own client of its REST proxy for Node.js: kafka-rest.js URL TOPIC RECORDS FORMAT. It is unmodified, and
// knows of nothing but a REST proxy at the URL. FORMAT is binary, or avro.
const { createRequire } = require('node:module');
const KafkaRest = createRequire(process.cwd() + '/')('kafka-rest');
const { promisify } = require('node:util');

async function main() {
  const [url, topic, count, format] = process.argv.slice(2);
  const records = Number(count);
  const kafka = new KafkaRest({ url });
  const names = (await promisify(kafka.topics.list.bind(kafka.topics))()).map((t) => t.name);
  if (!names.includes(topic)) throw new Error(topic + ' is not among the topics: ' + names);
  const found = await promisify(kafka.topics.get.bind(kafka.topics))(topic);
  const target = kafka.topic(topic);
  const key = new KafkaRest.AvroSchema('"string"');
  const value = new KafkaRest.AvroSchema({ type: 'record', name: 'Order', fields: [{ name: 'item', type: 'string' }, { name: 'count', type: ['null', 'int'] }] });
  for (let i = 0; i < records; i += 10) {
    const answer = await new Promise((resolve, reject) => {
      const done = (error, result) => (error ? reject(error) : resolve(result));
      const numbers = Array.from({ length: Math.min(10, records - i) }, (_, j) => i + j);
      if (format === 'avro') target.produce(key, value, numbers.map((n) => ({ key: 'key-' + n, value: { item: 'record-' + n, count: { int: n } } })), done);
      else if (i === 0) kafka.topic(topic).partition(1).produce(numbers.map((n) => ({ key: 'key-' + n, value: 'record-' + n })), done);
      else target.produce(numbers.map((n) => ({ key: 'key-' + n, value: 'record-' + n })), done);
    });
    for (const o of answer.offsets) if (o.error_code) throw new Error(JSON.stringify(o));
  }
  console.log(JSON.stringify({ admin: found.raw.partitions.length + ' partitions', produced: records }));
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });

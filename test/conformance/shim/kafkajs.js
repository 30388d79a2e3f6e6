// kafkajs: kafkajs.js BOOTSTRAP TOPIC RECORDS HOW. HOW is defaults (acks=-1 without idempotence), or weak: acks=0.
const { createRequire } = require('node:module');
const { Kafka, logLevel } = createRequire(process.cwd() + '/')('kafkajs');

async function main() {
  const [bootstrap, topic, count, how] = process.argv.slice(2);
  const records = Number(count);
  const kafka = new Kafka({ brokers: bootstrap.split(','), clientId: 'kafkajs-' + how, logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  const nodes = (await admin.describeCluster()).brokers.length;
  const other = topic + '-admin';
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: other, numPartitions: 1, replicationFactor: 3 }] });
  await admin.deleteTopics({ topics: [other] });
  await admin.disconnect();

  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: records }, (_, i) => ({ key: 'key-' + i, value: 'record-' + i }));
  for (let i = 0; i < records; i += 20) {
    await producer.send({ topic, messages: messages.slice(i, i + 20), ...(how === 'weak' ? { acks: 0 } : {}) });
  }
  await producer.disconnect();

  const consumer = kafka.consumer({ groupId: topic });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let consumed = 0;
  await new Promise((resolve) => {
    const end = setTimeout(resolve, 60000);
    consumer.run({ eachMessage: async () => { if (++consumed >= records) { clearTimeout(end); resolve(); } } });
  });
  await consumer.disconnect();
  console.log(JSON.stringify({ admin: nodes + ' nodes, topic created and deleted', produced: records, consumed }));
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });

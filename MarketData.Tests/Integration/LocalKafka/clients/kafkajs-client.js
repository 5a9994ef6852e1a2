// One step of the kafkajs suite: BOOTSTRAP produce TOPIC CODEC COUNT [PAUSE_MS] | consume TOPIC COUNT | member GROUP TOPIC | offset TOPIC PARTITION TIMESTAMP
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs');
const lz4 = require('lz4js');

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy');
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder) => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async (buffer) => Buffer.from(lz4.decompress(buffer)),
});
const withZstd = (work) => new Promise((resolve) => require('zstd-codec').ZstdCodec.run((zstd) => resolve(work(new zstd.Simple()))));
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder) => withZstd((zstd) => Buffer.from(zstd.compress(encoder.buffer))),
  decompress: (buffer) => withZstd((zstd) => Buffer.from(zstd.decompress(buffer))),
});

const [bootstrap, command, ...args] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 40 } });
const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD };

const commands = {
  async produce(topic, codec, count, pauseMs) {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (let i = 0; i < Number(count); i += 10) {
      const messages = Array.from({ length: Math.min(10, count - i) }, (_, j) => ({ key: String(i + j), value: String(i + j) }));
      await producer.send({ topic, messages, acks: -1, compression: codecs[codec] });
      if (i === 0) console.log('producing');
      if (pauseMs) await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)));
    }
    await producer.disconnect();
  },
  async consume(topic, count) {
    const consumer = kafka.consumer({ groupId: `reader-${process.pid}`, maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    let left = Number(count);
    await new Promise((resolve) => consumer.run({
      eachMessage: async ({ message }) => {
        console.log(message.value.toString());
        if (--left === 0) resolve();
      },
    }));
    await consumer.disconnect();
  },
  async member(groupId, topic) {
    const consumer = kafka.consumer({ groupId, sessionTimeout: 2000, heartbeatInterval: 100, rebalanceTimeout: 3000, maxWaitTimeInMs: 50 });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      console.log(`assigned: ${(payload.memberAssignment[topic] ?? []).map((partition) => `${topic} [${partition}]`).join(', ')}`);
    });
    process.on('SIGTERM', async () => {
      await consumer.disconnect();
      process.exit(0);
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });
    await new Promise(() => {});
  },
  async offset(topic, partition, timestamp) {
    const admin = kafka.admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, Number(timestamp));
    console.log(offsets.find((found) => found.partition === Number(partition)).offset);
    await admin.disconnect();
  },
};

commands[command](...args).then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});

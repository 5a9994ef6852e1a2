"""One step of the python3-kafka suite.

BOOTSTRAP produce TOPIC CODEC COUNT [PAUSE_MS] | consume TOPIC COUNT | member GROUP TOPIC | offset TOPIC PARTITION TIMESTAMP
"""
import signal
import sys
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition

bootstrap, command, *args = sys.argv[1:]


def produce(topic, codec, count, pause_ms="0"):
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", retries=100, retry_backoff_ms=50, reconnect_backoff_ms=20, reconnect_backoff_max_ms=200,
        max_in_flight_requests_per_connection=1, compression_type=None if codec == "none" else codec)
    sent = []
    for i in range(int(count)):
        sent.append(producer.send(topic, key=b"%d" % i, value=b"%d" % i, headers=[("note", b"header value")]))
        if i % 10 == 9:
            for result in sent:
                result.get(timeout=20)
            sent.clear()
            if i == 9:
                print("producing", flush=True)
            time.sleep(int(pause_ms) / 1000)
    producer.close()


def consume(topic, count):
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest", fetch_max_wait_ms=50, consumer_timeout_ms=20000)
    left = int(count)
    for record in consumer:
        print(record.value.decode())
        left -= 1
        if left == 0:
            break
    consumer.close()


class Tell(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        print("assigned: " + ", ".join(f"{each.topic} [{each.partition}]" for each in assigned), flush=True)


def member(group, topic):
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, session_timeout_ms=2000, heartbeat_interval_ms=100, max_poll_interval_ms=3000,
        auto_offset_reset="earliest", fetch_max_wait_ms=50)
    consumer.subscribe([topic], listener=Tell())
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    while not stopping:
        consumer.poll(timeout_ms=50)
    consumer.close()


def offset(topic, partition, timestamp):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    where = TopicPartition(topic, int(partition))
    found = consumer.offsets_for_times({where: int(timestamp)})[where]
    print(found.offset if found else -1)
    consumer.close()


{"produce": produce, "consume": consume, "member": member, "offset": offset}[command](*args)

package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Pulling by hand: subscribe, poll, commit; assign, seek; offsets that a successor finds. */
public final class LitePull {
    private static final int QUEUES = 4;
    private static final int MESSAGES = 40;
    private static final int PER_QUEUE = MESSAGES / QUEUES;

    private final Cluster cluster;
    private final String topic;
    private final String group;
    private final DefaultMQProducer producer;

    private LitePull(Cluster cluster) throws Exception {
        this.cluster = cluster;
        topic = cluster.topic("pulled", QUEUES);
        group = cluster.group("pulled");
        producer = cluster.producer("pulled");
    }

    public static void main(String[] words) {
        Program.run("LitePull", 120, words, cluster -> new LitePull(cluster).all());
    }

    private void all() throws Exception {
        long middleMs = send("early");
        subscribeAndCommit();
        send("late");
        successor();
        assignAndSeek(middleMs);
    }

    /** Spreads a round evenly over the queues. Answers the time of the last message. */
    private long send(String round) throws Exception {
        List<MessageQueue> queues = producer.fetchPublishMessageQueues(topic);
        for (int i = 0; i < MESSAGES; i++) {
            SendResult result = producer.send(new Message(topic,
                (round + " " + i).getBytes(StandardCharsets.UTF_8)), queues.get(i % QUEUES));
            if (result.getQueueOffset() % PER_QUEUE != i / QUEUES) {
                throw new Check.Failure("message " + i + " has offset " + result.getQueueOffset());
            }
        }
        Thread.sleep(50);
        return System.currentTimeMillis();
    }

    private void subscribeAndCommit() throws Exception {
        DefaultLitePullConsumer consumer = cluster.litePullConsumer(group);
        consumer.subscribe(topic, "*");
        consumer.start();
        poll(consumer, "early", "a subscribed consumer polls every message");
        consumer.commitSync();
        for (MessageQueue queue : consumer.fetchMessageQueues(topic)) {
            Check.equal((long) PER_QUEUE, consumer.committed(queue),
                "committed of queue " + queue.getQueueId());
        }
        consumer.shutdown();
    }

    private void successor() throws Exception {
        DefaultLitePullConsumer consumer = cluster.litePullConsumer(group);
        consumer.subscribe(topic, "*");
        consumer.start();
        poll(consumer, "late", "its successor polls only what came after the commit");
        for (MessageQueue queue : consumer.fetchMessageQueues(topic)) {
            Check.equal((long) PER_QUEUE, consumer.committed(queue),
                "found by the successor: committed of queue " + queue.getQueueId());
        }
        consumer.shutdown();
    }

    private void assignAndSeek(long middleMs) throws Exception {
        DefaultLitePullConsumer consumer = cluster.litePullConsumer(cluster.group("seeking"));
        consumer.start();
        MessageQueue queue = consumer.fetchMessageQueues(topic).iterator().next();
        consumer.assign(List.of(queue));
        consumer.seek(queue, 7);
        Check.equal(7L, first(consumer, 7).getQueueOffset(), "after seek(7) the first offset is");
        consumer.seekToBegin(queue);
        Check.equal(0L, first(consumer, 0).getQueueOffset(), "after seekToBegin the first is");
        long middle = consumer.offsetForTimestamp(queue, middleMs);
        Check.equal((long) PER_QUEUE, middle, "offset for the time between the rounds");
        consumer.seek(queue, middle);
        Check.that(Inbox.text(first(consumer, middle)).startsWith("late"),
            "seeking there finds the second round");
        consumer.seekToEnd(queue);
        String body = "after the end";
        consumer.poll(200);
        producer.send(new Message(topic, body.getBytes(StandardCharsets.UTF_8)), queue);
        Check.equal(body, Inbox.text(first(consumer, 2 * PER_QUEUE)), "after seekToEnd comes");
    }

    /** The first message at or past an offset; a pull under way may still answer older ones. */
    private static MessageExt first(DefaultLitePullConsumer consumer, long offset)
        throws Exception {
        MessageExt[] found = new MessageExt[1];
        Check.eventually(20, "a message at offset " + offset + " is polled", () -> {
            for (MessageExt message : consumer.poll(500)) {
                if (found[0] == null && message.getQueueOffset() == offset) {
                    found[0] = message;
                }
            }
            return found[0] != null;
        }, () -> "nothing at that offset");
        return found[0];
    }

    private static void poll(DefaultLitePullConsumer consumer, String round, String claim)
        throws Exception {
        Set<String> texts = new HashSet<>();
        Check.eventually(30, claim, () -> {
            for (MessageExt message : consumer.poll(500)) {
                String text = Inbox.text(message);
                if (!text.startsWith(round)) {
                    throw new Check.Failure("polled \"" + text + "\", expected only " + round);
                }
                texts.add(text);
            }
            return texts.size() == MESSAGES;
        }, texts::size);
    }
}

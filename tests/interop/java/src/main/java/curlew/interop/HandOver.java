package curlew.interop;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * While messages come steadily, a member joins its group and leaves it, and another one's process
 * is killed: how long until every queue is with its new owner, and is anything lost?
 *
 * <p>An orderly group ({@code --ordered yes}) is only measured, because its members wait for each
 * other: who gives a queue up may hold its lock for 20 s more if messages of it are in its hands
 * (4.9 and 5), who was refused a lock asks again after 20 s (4.9) or 1 s (5), and a member that is
 * dead gives nothing up: Apache RocketMQ keeps its locks for 60 s.
 */
public final class HandOver {
    private static final int QUEUES = 8;
    private static final long HAND_OVER_MS_MAX = 5_000;
    private static final long SEND_PAUSE_MS = 5;
    /**
     * 5.x sends a heartbeat one second after it started, and rebalances then. The rebalance gives its
     * subscription a new version; when both meet, "lock heartBeat, but failed", the broker hears of
     * it with the next heartbeat only and refuses pulls (25) until then: 30 s with the client's
     * default, and with Apache RocketMQ too.
     */
    private static final int HEARTBEAT_MS = 1_000;
    /** Longer than the longest of the client's own waits. */
    private static final int SETTLED_SECONDS_MAX = 85;

    private final Cluster cluster;
    private final boolean ordered;
    private final String topic;
    private final String group;
    private final HandOverLedger ledger = new HandOverLedger();
    private final List<MessageQueue> queues;
    private final DefaultMQProducer producer;
    private volatile boolean sending = true;
    private volatile Exception sendFault;

    private HandOver(Cluster cluster) throws Exception {
        this.cluster = cluster;
        ordered = isOrdered(cluster);
        topic = cluster.topic(purpose(cluster), QUEUES);
        group = cluster.group(purpose(cluster));
        producer = cluster.producer("handed");
        queues = producer.fetchPublishMessageQueues(topic);
    }

    public static void main(String[] words) {
        if (List.of(words).contains("--member")) {
            Program.run("HandOver", 200, words, HandOver::member);
        }
        Program.run("HandOver", 190, words, cluster -> new HandOver(cluster).all());
    }

    private void all() throws Exception {
        DefaultMQPushConsumer first = consumer(cluster, "a");
        listen(first, ordered, (queue, number) -> ledger.take("a", queue, number));
        first.start();
        Thread sender = new Thread(this::sendSteadily, "sender");
        sender.setDaemon(true);
        sender.start();
        settled("the only member reads every queue", 0, Map.of("a", first.buildMQClientId()));

        DefaultMQPushConsumer second = consumer(cluster, "b");
        listen(second, ordered, (queue, number) -> ledger.take("b", queue, number));
        Map<String, String> both = Map.of("a", first.buildMQClientId(),
            "b", second.buildMQClientId());
        long joinedNs = System.nanoTime();
        second.start();
        quick("join", settled("after a member joined", joinedNs, both));

        Map<String, String> alone = Map.of("a", first.buildMQClientId());
        long leftNs = System.nanoTime();
        second.shutdown();
        quick("leave", settled("after it left", leftNs, alone));

        killed(first);
        sending = false;
        sender.join();
        if (sendFault != null) {
            throw sendFault;
        }
        Check.eventually(30, "none of " + ledger.sent() + " messages is lost",
            () -> ledger.missing().isEmpty(), ledger::missing);
        System.out.println("  measured: of " + ledger.sent() + " messages "
            + ledger.repeats() + " were handed over again");
    }

    private void killed(DefaultMQPushConsumer first) throws Exception {
        try (HandOverMember third = new HandOverMember(cluster, ordered, ledger)) {
            long joinedNs = third.joiningNs();
            Map<String, String> both = Map.of("a", first.buildMQClientId(), "c", third.clientId());
            quick("join of a process", settled("after a process joined", joinedNs, both));
            long killedNs = System.nanoTime();
            third.kill();
            quick("kill", settled("after that was killed", killedNs,
                Map.of("a", first.buildMQClientId())));
        }
    }

    /** The life of a member that is a process of its own: it tells what it takes, line by line. */
    private static void member(Cluster cluster) throws Exception {
        DefaultMQPushConsumer consumer = consumer(cluster, "c");
        listen(consumer, isOrdered(cluster), HandOverMember::tell);
        HandOverMember.tellJoining(consumer.buildMQClientId());
        consumer.start();
        // Whoever started this process holds the other end: it is not to outlive them.
        System.in.transferTo(OutputStream.nullOutputStream());
    }

    private void sendSteadily() {
        try {
            for (int number = 0; sending; number++) {
                for (MessageQueue queue : queues) {
                    // Noted first: it may be taken before its sender is answered.
                    ledger.send(queue.getQueueId(), number);
                    producer.send(new Message(topic,
                        Integer.toString(number).getBytes(StandardCharsets.UTF_8)), queue);
                    Thread.sleep(SEND_PAUSE_MS);
                }
            }
        } catch (Exception thrown) {
            sendFault = thrown;
        }
    }

    /** Waits until every queue is with its right owner. Answers how long after the change. */
    private long settled(String change, long changedNs, Map<String, String> clientIds)
        throws Exception {
        Map<Integer, String> owners = ownersAmong(clientIds);
        Check.eventually(SETTLED_SECONDS_MAX, change + ", its queues stay with " + owners,
            () -> ledger.isSettled(changedNs, owners), () -> ledger.takersSince(changedNs));
        return (ledger.settledNs(changedNs, owners) - changedNs) / 1_000_000;
    }

    /** What every member works out for itself: the queue's number to its owner's name. */
    private Map<Integer, String> ownersAmong(Map<String, String> clientIds) {
        List<String> all = clientIds.values().stream().sorted().collect(Collectors.toList());
        List<MessageQueue> sorted = queues.stream().sorted().collect(Collectors.toList());
        Map<Integer, String> owners = new TreeMap<>();
        clientIds.forEach((name, id) -> new AllocateMessageQueueAveragely()
            .allocate(group, id, sorted, all)
            .forEach(queue -> owners.put(queue.getQueueId(), name)));
        return owners;
    }

    private void quick(String change, long tookMs) {
        System.out.println("  measured: " + change + " to last queue taken over, " + tookMs + " ms");
        if (!ordered) {
            Check.that(tookMs < HAND_OVER_MS_MAX, "that is below " + HAND_OVER_MS_MAX + " ms");
        }
    }

    private interface Taker {
        void take(int queue, int number);
    }

    private static DefaultMQPushConsumer consumer(Cluster cluster, String name) throws Exception {
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.name(purpose(cluster)));
        consumer.setInstanceName(consumer.getInstanceName() + "-" + name);
        consumer.setHeartbeatBrokerInterval(HEARTBEAT_MS);
        consumer.subscribe(cluster.name(purpose(cluster)), "*");
        return consumer;
    }

    private static void listen(DefaultMQPushConsumer consumer, boolean ordered, Taker taker) {
        if (ordered) {
            consumer.registerMessageListener((MessageListenerOrderly) (batch, context) -> {
                each(batch.stream(), taker);
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
                each(batch.stream(), taker);
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
    }

    private static void each(Stream<MessageExt> batch, Taker taker) {
        batch.forEach(message -> taker.take(message.getQueueId(),
            Integer.parseInt(Inbox.text(message))));
    }

    private static boolean isOrdered(Cluster cluster) {
        return cluster.arguments.or("ordered", "no").equals("yes");
    }

    private static String purpose(Cluster cluster) {
        return isOrdered(cluster) ? "handed_in_order" : "handed";
    }
}

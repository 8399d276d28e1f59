package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Messages of one key come in the order they were sent, while members join and one is refused. */
public final class Orderly {
    private static final int QUEUES = 4;
    private static final int KEYS = 8;
    private static final int STEPS = 40;

    private final Cluster cluster;
    private final String topic;
    private final String group;
    private final Map<String, Integer> lastSteps = new HashMap<>();
    private final Set<Integer> busyQueues = ConcurrentHashMap.newKeySet();
    private final AtomicInteger handed = new AtomicInteger();
    private final AtomicInteger suspended = new AtomicInteger();
    private volatile String disorder = "";

    private Orderly(Cluster cluster) throws Exception {
        this.cluster = cluster;
        topic = cluster.topic("ordered", QUEUES);
        group = cluster.group("ordered");
    }

    public static void main(String[] words) {
        Program.run("Orderly", 150, words, cluster -> new Orderly(cluster).all());
    }

    private void all() throws Exception {
        DefaultMQPushConsumer first = start();
        Check.eventually(25, "the only member holds every queue",
            () -> Cluster.owned(first, topic).size() == QUEUES,
            () -> Cluster.owned(first, topic));
        send(0, STEPS / 2);
        done(STEPS / 2, "the first half of every key arrives in order");
        Check.equal(1, suspended.get(), "one message was put off, and none overtook it");

        DefaultMQPushConsumer second = start();
        send(STEPS / 2, STEPS);
        // A queue moves only when its old holder has let go: at the next round at the latest.
        Check.eventually(45, "two members hold half of the queues each",
            () -> Cluster.owned(first, topic).size() == QUEUES / 2
                && Cluster.owned(second, topic).size() == QUEUES / 2,
            () -> Cluster.owned(first, topic) + " and " + Cluster.owned(second, topic));
        done(STEPS, "the second half too, although queues moved");
        Check.that(disorder.isEmpty(), "no queue was handed to two threads at once");
        System.out.println("  note: " + handed.get() + " messages were handed over for "
            + KEYS * STEPS + " sent");
    }

    private void send(int from, int to) throws Exception {
        DefaultMQProducer producer = cluster.producer("ordered" + from);
        for (int step = from; step < to; step++) {
            for (int key = 0; key < KEYS; key++) {
                Message message = new Message(topic, "step", "key-" + key,
                    Integer.toString(step).getBytes(StandardCharsets.UTF_8));
                producer.send(message, new SelectMessageQueueByHash(), "key-" + key);
            }
        }
    }

    private void done(int steps, String claim) throws Exception {
        Check.eventually(45, claim, () -> {
            if (!disorder.isEmpty()) {
                throw new Check.Failure(disorder);
            }
            synchronized (lastSteps) {
                return lastSteps.size() == KEYS
                    && lastSteps.values().stream().allMatch(last -> last == steps - 1);
            }
        }, () -> lastSteps);
    }

    private DefaultMQPushConsumer start() throws Exception {
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        consumer.subscribe(topic, "*");
        consumer.setSuspendCurrentQueueTimeMillis(200);
        consumer.registerMessageListener((MessageListenerOrderly) (batch, context) -> {
            int queue = context.getMessageQueue().getQueueId();
            if (!busyQueues.add(queue)) {
                disorder = "queue " + queue + " was handed to two threads at once";
            }
            try {
                return batch.stream().allMatch(this::take) ? ConsumeOrderlyStatus.SUCCESS
                    : ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
            } finally {
                busyQueues.remove(queue);
            }
        });
        consumer.start();
        return consumer;
    }

    /** Notes one message; false to have it again later. A repeat is allowed, a gap is not. */
    private boolean take(MessageExt message) {
        handed.incrementAndGet();
        int step = Integer.parseInt(Inbox.text(message));
        String key = message.getKeys();
        if (key.equals("key-3") && step == 5 && suspended.getAndIncrement() == 0) {
            return false;
        }
        suspended.compareAndSet(2, 1);
        synchronized (lastSteps) {
            int last = lastSteps.getOrDefault(key, -1);
            if (step > last + 1) {
                disorder = key + " went from step " + last + " to " + step;
            }
            lastSteps.put(key, Math.max(last, step));
        }
        return true;
    }
}

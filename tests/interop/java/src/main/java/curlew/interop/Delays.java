package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Delay levels: each message is visible after its level's time, never before. */
public final class Delays {
    private static final Map<Integer, Integer> SECONDS = Map.of(1, 1, 2, 5, 3, 10);
    /** The stock broker looks at its schedule every so often. */
    private static final long LATE_MS_MAX = 3_000;

    private Delays() {
    }

    public static void main(String[] words) {
        Program.run("Delays", 90, words, Delays::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("delayed", 4);
        Inbox inbox = new Inbox();
        Map<Integer, Long> arrivedMs = new HashMap<>();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("delayed"));
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        Check.eventually(15, "the consumer reads every queue",
            () -> Cluster.owned(consumer, topic).size() == 4, () -> 0);
        DefaultMQProducer producer = cluster.producer("delayed");
        for (int level : SECONDS.keySet()) {
            Message message = new Message(topic, "tag", "level-" + level,
                "later".getBytes(StandardCharsets.UTF_8));
            message.setDelayTimeLevel(level);
            producer.send(message);
        }
        Check.eventually(30, "every delayed message arrives",
            () -> inbox.count() == SECONDS.size(), inbox::count);
        for (MessageExt message : inbox.all()) {
            int level = Integer.parseInt(message.getKeys().substring("level-".length()));
            long waitedMs = message.getStoreTimestamp() - message.getBornTimestamp();
            long dueMs = SECONDS.get(level) * 1_000L;
            arrivedMs.put(level, waitedMs);
            Check.that(waitedMs >= dueMs - 10 && waitedMs < dueMs + LATE_MS_MAX,
                "level " + level + " waited " + waitedMs + " ms");
            Check.equal(topic, message.getTopic(), "and came in its topic");
        }
        Check.equal(SECONDS.keySet(), arrivedMs.keySet(), "levels that came");
    }
}

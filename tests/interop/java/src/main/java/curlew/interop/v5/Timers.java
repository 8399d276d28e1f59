package curlew.interop.v5;

import curlew.interop.Check;
import curlew.interop.Cluster;
import curlew.interop.Inbox;
import curlew.interop.Program;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Messages for any time: after seconds, after milliseconds, at an instant, and at one long past; and
 * one that is recalled.
 */
public final class Timers {
    /** Timers tick once a second, and may fire a tick early. */
    private static final long EARLY_MS_MAX = 1_100;
    private static final long LATE_MS_MAX = 4_000;
    private static final long DELAY_MS = 4_000;
    private static final long SETTLE_MS = 3_000;

    private Timers() {
    }

    public static void main(String[] words) {
        Program.run("Timers", 60, words, Timers::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("timed", 4);
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("timed"));
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        Check.eventually(15, "the consumer reads every queue",
            () -> Cluster.owned(consumer, topic).size() == 4, () -> 0);
        DefaultMQProducer producer = cluster.producer("timed");
        Message seconds = message(topic, "seconds");
        seconds.setDelayTimeSec(DELAY_MS / 1_000);
        Message millis = message(topic, "millis");
        millis.setDelayTimeMs(DELAY_MS);
        Message instant = message(topic, "instant");
        instant.setDeliverTimeMs(System.currentTimeMillis() + DELAY_MS);
        Message past = message(topic, "past");
        past.setDeliverTimeMs(System.currentTimeMillis() - 60_000);
        for (Message message : new Message[] {seconds, millis, instant, past}) {
            SendResult sent = producer.send(message);
            System.out.println("  note: recall handle " + sent.getRecallHandle());
        }
        Message unwanted = message(topic, "unwanted");
        unwanted.setDelayTimeMs(DELAY_MS);
        SendResult sent = producer.send(unwanted);
        Check.equal(sent.getMsgId(), producer.recallMessage(topic, sent.getRecallHandle()),
            "the recalled message");
        Check.eventually(20, "every timed message arrives", () -> inbox.count() == 4,
            inbox::count);
        for (MessageExt message : inbox.all()) {
            long waitedMs = message.getStoreTimestamp() - message.getBornTimestamp();
            long dueMs = message.getKeys().equals("past") ? 0 : DELAY_MS;
            Check.that(waitedMs >= dueMs - EARLY_MS_MAX && waitedMs < dueMs + LATE_MS_MAX,
                message.getKeys() + " waited " + waitedMs + " ms");
            Check.equal(topic, message.getTopic(), "and came in its topic");
        }
        Thread.sleep(SETTLE_MS);
        Check.equal(4, inbox.count(), "messages seen in all, the recalled one not among them");
    }

    private static Message message(String topic, String key) {
        return new Message(topic, "tag", key, "timed".getBytes(StandardCharsets.UTF_8));
    }
}

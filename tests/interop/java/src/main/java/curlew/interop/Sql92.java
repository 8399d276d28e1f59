package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/** Subscriptions by SQL92 over properties; a bad expression is refused when the consumer starts. */
public final class Sql92 {
    private static final int MESSAGES = 40;

    private Sql92() {
    }

    public static void main(String[] words) {
        Program.run("Sql92", 60, words, Sql92::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("selected", 4);
        DefaultMQProducer producer = cluster.producer("selected");
        Set<String> wanted = new HashSet<>();
        for (int i = 0; i < MESSAGES; i++) {
            Message message = new Message(topic, i % 2 == 0 ? "even" : "odd",
                ("message " + i).getBytes(StandardCharsets.UTF_8));
            message.putUserProperty("number", "" + i);
            if (i % 5 != 0) {
                message.putUserProperty("colour", i % 3 == 0 ? "red" : "blue");
            }
            producer.send(message);
            boolean blue = i % 5 != 0 && i % 3 != 0;
            if (i >= 10 && i <= 30 && (blue || i % 5 == 0) && i % 2 == 0) {
                wanted.add("message " + i);
            }
        }
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("selected"));
        consumer.subscribe(topic, MessageSelector.bySql("number between 10 and 30 and "
            + "(colour in ('blue', 'green') or colour is null) and TAGS = 'even'"));
        inbox.attachTo(consumer);
        consumer.start();
        Check.eventually(20, "exactly the selected messages arrive",
            () -> inbox.texts().equals(wanted), inbox::texts);
        Thread.sleep(1_000);
        Check.equal(wanted.size(), inbox.count(), "and no other: messages in all");
        DefaultMQPushConsumer bad = cluster.pushConsumer(cluster.group("misspelt"));
        bad.subscribe(topic, MessageSelector.bySql("number between 1 and"));
        new Inbox().attachTo(bad);
        try {
            bad.start();
        } catch (MQClientException refusal) {
            Check.that(true, "a misspelt expression is refused at start: code "
                + refusal.getResponseCode());
            return;
        }
        throw new Check.Failure("a misspelt expression was accepted");
    }
}

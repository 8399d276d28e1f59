package curlew.interop;

import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/** A send to a topic nobody created: made on the way, or refused. {@code --auto-create on|off}. */
public final class Tbw102 {
    private static final int CLIENT_NO_ROUTE = 10005;
    private static final int DEFAULT_QUEUES = 4;

    private Tbw102() {
    }

    public static void main(String[] words) {
        Program.run("Tbw102", 60, words, cluster -> {
            String expected = cluster.arguments.required("auto-create");
            if (expected.equals("on")) {
                created(cluster);
            } else if (expected.equals("off")) {
                refused(cluster);
            } else {
                throw new IllegalArgumentException("--auto-create is on or off, found " + expected);
            }
        });
    }

    private static void created(Cluster cluster) throws Exception {
        String topic = cluster.name("fresh");
        DefaultMQProducer producer = cluster.producer("fresh");
        SendResult result = producer.send(message(topic));
        Check.equal(SendStatus.SEND_OK, result.getSendStatus(), "a send to a fresh topic");
        Check.eventually(35, "the topic then has " + DEFAULT_QUEUES + " queues of its own",
            () -> queues(cluster, topic) == DEFAULT_QUEUES, () -> queues(cluster, topic));
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("fresh"));
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        Check.eventually(25, "and its message is consumed", () -> inbox.count() == 1, inbox::count);
    }

    private static void refused(Cluster cluster) throws Exception {
        String topic = cluster.name("refused");
        DefaultMQProducer producer = cluster.producer("refused");
        try {
            producer.send(message(topic));
        } catch (MQClientException refusal) {
            Check.equal(CLIENT_NO_ROUTE, refusal.getResponseCode(), "code of the refusal");
            Check.that(refusal.getMessage().contains(topic),
                "the refusal names the topic: " + refusal.getMessage().split("\n")[0]);
            return;
        }
        throw new Check.Failure("a send to a topic nobody created was accepted");
    }

    private static int queues(Cluster cluster, String topic) {
        try {
            return cluster.producer("counting").fetchPublishMessageQueues(topic).size();
        } catch (Exception notYet) {
            return 0;
        }
    }

    private static Message message(String topic) {
        return new Message(topic, "first".getBytes(StandardCharsets.UTF_8));
    }
}

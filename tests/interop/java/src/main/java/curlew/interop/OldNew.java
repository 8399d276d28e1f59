package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * What one client sends another reads: {@code --role send}, then {@code --role receive} by any
 * version with any header form, on the topic of the same {@code --run}.
 */
public final class OldNew {
    private static final int MESSAGES = 20;
    private static final String LONG = "long body that the client compresses ".repeat(1_000);

    private OldNew() {
    }

    public static void main(String[] words) {
        Program.run("OldNew", 60, words, cluster -> {
            String role = cluster.arguments.required("role");
            if (role.equals("send")) {
                send(cluster);
            } else if (role.equals("receive")) {
                receive(cluster);
            } else {
                throw new IllegalArgumentException("--role is send or receive, found " + role);
            }
        });
    }

    private static void send(Cluster cluster) throws Exception {
        String topic = cluster.topic("oldnew", 4);
        DefaultMQProducer producer = cluster.producer("oldnew");
        for (String text : texts("single")) {
            producer.send(message(topic, text));
        }
        List<Message> batch = new ArrayList<>();
        for (String text : texts("batch")) {
            batch.add(message(topic, text));
        }
        producer.send(batch);
        producer.send(message(topic, LONG));
        Check.that(true, (2 * MESSAGES + 1) + " messages were sent");
    }

    private static void receive(Cluster cluster) throws Exception {
        String topic = cluster.name("oldnew");
        Set<String> expected = new HashSet<>(texts("single"));
        expected.addAll(texts("batch"));
        expected.add(LONG);
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("oldnew"));
        consumer.subscribe(topic, "tag");
        inbox.attachTo(consumer);
        consumer.start();
        Check.eventually(25, "every message of the other client is read",
            () -> inbox.texts().equals(expected), inbox::count);
        for (MessageExt message : inbox.all()) {
            if (!"key".equals(message.getKeys()) || !"value".equals(message.getUserProperty("own"))
                || !message.getBornHostString().startsWith("127.")) {
                throw new Check.Failure("a message lost something on the way: " + message);
            }
        }
        Check.that(true, "each with its key, its property and the address of its sender");
    }

    private static Set<String> texts(String kind) {
        Set<String> texts = new TreeSet<>();
        for (int i = 0; i < MESSAGES; i++) {
            texts.add(kind + " " + i);
        }
        return texts;
    }

    private static Message message(String topic, String text) {
        Message message = new Message(topic, "tag", "key", text.getBytes(StandardCharsets.UTF_8));
        message.putUserProperty("own", "value");
        return message;
    }
}

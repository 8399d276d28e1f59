package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/** In broadcast mode every member of a group is handed every message. */
public final class PushBroadcast {
    private static final int QUEUES = 4;
    private static final int MESSAGES = 100;

    private PushBroadcast() {
    }

    public static void main(String[] words) {
        Program.run("PushBroadcast", 90, words, PushBroadcast::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("broadcast", QUEUES);
        String group = cluster.group("broadcast");
        Inbox first = member(cluster, group, topic);
        Inbox second = member(cluster, group, topic);
        DefaultMQProducer producer = cluster.producer("broadcast");
        Set<String> sent = new HashSet<>();
        for (int i = 0; i < MESSAGES; i++) {
            sent.add("message " + i);
            producer.send(new Message(topic, ("message " + i).getBytes(StandardCharsets.UTF_8)));
        }
        Check.eventually(20, "the first member got all " + MESSAGES,
            () -> first.texts().equals(sent), first::count);
        Check.eventually(20, "the second member got all " + MESSAGES,
            () -> second.texts().equals(sent), second::count);
        Check.equal(MESSAGES, first.count(), "each once for the first");
        Check.equal(MESSAGES, second.count(), "each once for the second");
    }

    private static Inbox member(Cluster cluster, String group, String topic) throws Exception {
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        Cluster.broadcast(consumer);
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        Check.eventually(15, "a broadcast member reads all " + QUEUES + " queues",
            () -> Cluster.owned(consumer, topic).size() == QUEUES,
            () -> Cluster.owned(consumer, topic));
        return inbox;
    }
}

package curlew.interop;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** A group shares a topic: members join and leave, tags are filtered, nothing is missed. */
public final class PushConcurrent {
    private static final int QUEUES = 8;
    private static final int ROUND = 240;
    private static final int REBALANCE_SECONDS_MAX = 10;
    private static final int PULL_HAS_SUBSCRIPTION = 4;
    private static final List<String> TAGS = List.of("A", "B", "C");

    private final Cluster cluster;
    private final String topic;
    private final String group;
    private final DefaultMQProducer producer;
    private final Set<String> wanted = new HashSet<>();

    private PushConcurrent(Cluster cluster) throws Exception {
        this.cluster = cluster;
        topic = cluster.topic("shared", QUEUES);
        group = cluster.group("shared");
        producer = cluster.producer("shared");
    }

    public static void main(String[] words) {
        Program.run("PushConcurrent", 120, words, cluster -> new PushConcurrent(cluster).all());
    }

    private void all() throws Exception {
        send("before anyone listens");
        Inbox firstInbox = new Inbox();
        DefaultMQPushConsumer first = start(firstInbox);
        owns(first, QUEUES, "the only member reads every queue");
        Check.eventually(15, "messages older than the group arrive",
            () -> firstInbox.texts().equals(wanted), firstInbox::count);

        Inbox secondInbox = new Inbox();
        DefaultMQPushConsumer second = start(secondInbox);
        owns(first, QUEUES / 2, "after a second member joined, the first reads half");
        owns(second, QUEUES / 2, "and the second the other half");
        Set<Integer> both = new HashSet<>(Cluster.owned(first, topic));
        both.addAll(Cluster.owned(second, topic));
        Check.equal(QUEUES, both.size(), "queues read by one of the two");

        int before = firstInbox.count();
        send("to both");
        Check.eventually(15, "the union of both is everything with tag A or B", () -> {
            Set<String> union = firstInbox.texts();
            union.addAll(secondInbox.texts());
            return union.equals(wanted);
        }, () -> firstInbox.count() + " + " + secondInbox.count());
        Check.that(firstInbox.count() > before && secondInbox.count() > 0, "both had work");

        second.shutdown();
        owns(first, QUEUES, "after the second member left, the first reads every queue");
        send("to the one that stayed");
        Check.eventually(15, "it misses nothing of what comes then", () -> {
            Set<String> union = firstInbox.texts();
            union.addAll(secondInbox.texts());
            return union.equals(wanted);
        }, () -> firstInbox.count() + " + " + secondInbox.count());
        filteredByBroker();
    }

    private void send(String round) throws Exception {
        for (int i = 0; i < ROUND; i++) {
            String tag = TAGS.get(i % TAGS.size());
            String text = round + " " + i;
            producer.send(new Message(topic, tag, text.getBytes(StandardCharsets.UTF_8)));
            if (!tag.equals("C")) {
                wanted.add(text);
            }
        }
    }

    private DefaultMQPushConsumer start(Inbox inbox) throws Exception {
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        consumer.subscribe(topic, "A || B");
        inbox.attachTo(consumer);
        consumer.start();
        return consumer;
    }

    private void owns(DefaultMQPushConsumer consumer, int queues, String claim) throws Exception {
        Check.eventually(REBALANCE_SECONDS_MAX, claim,
            () -> Cluster.owned(consumer, topic).size() == queues,
            () -> Cluster.owned(consumer, topic));
    }

    /** The client drops other tags too, so only the bytes of an answer show who filtered. */
    private void filteredByBroker() throws Exception {
        Raw raw = cluster.raw();
        RemotingCommand answer = raw.ask(raw.broker(), Raw.PULL_MESSAGE, Map.ofEntries(
            Map.entry("consumerGroup", group), Map.entry("topic", topic),
            Map.entry("queueId", "0"), Map.entry("queueOffset", "0"),
            Map.entry("maxMsgNums", "32"), Map.entry("commitOffset", "0"),
            Map.entry("sysFlag", "" + PULL_HAS_SUBSCRIPTION), Map.entry("subscription", "A || B"),
            Map.entry("subVersion", "0"), Map.entry("expressionType", "TAG"),
            Map.entry("suspendTimeoutMillis", "0")), 0);
        Set<String> tags = new HashSet<>();
        for (MessageExt message : MessageDecoder.decodes(ByteBuffer.wrap(answer.getBody()))) {
            tags.add(message.getTags());
        }
        Check.that(tags.size() > 0 && !tags.contains("C"), "the broker answers only tags " + tags);
        for (String field : List.of("nextBeginOffset", "minOffset", "maxOffset",
            "suggestWhichBrokerId")) {
            Check.that(answer.getExtFields().containsKey(field), "a pull's answer has " + field);
        }
    }
}

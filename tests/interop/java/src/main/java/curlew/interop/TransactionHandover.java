package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** A producer begins transactions and is gone; another process of its group is asked and decides. */
public final class TransactionHandover implements TransactionListener {
    private static final int CHECK_SECONDS_MAX = 100;
    private static final long SETTLE_MS = 3_000;
    private static final Set<String> TEXTS = Set.of("commit-1", "commit-2", "rollback-1");

    private final Map<String, String> asked = new ConcurrentHashMap<>();

    private TransactionHandover() {
    }

    public static void main(String[] words) {
        Program.run("TransactionHandover", 150, words, cluster -> {
            String role = cluster.arguments.required("role");
            if (role.equals("begin")) {
                new TransactionHandover().begin(cluster);
            } else if (role.equals("decide")) {
                new TransactionHandover().decide(cluster);
            } else {
                throw new IllegalArgumentException("--role is begin or decide, found " + role);
            }
        });
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
        return LocalTransactionState.UNKNOW;
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt message) {
        asked.put(Inbox.text(message), message.getTransactionId());
        return message.getTags().equals("commit") ? LocalTransactionState.COMMIT_MESSAGE
            : LocalTransactionState.ROLLBACK_MESSAGE;
    }

    private void begin(Cluster cluster) throws Exception {
        String topic = cluster.topic("handed_over", 4);
        TransactionMQProducer producer = started(cluster);
        for (String text : TEXTS) {
            Message message = new Message(topic, text.replaceAll("-.*", ""), text,
                text.getBytes(StandardCharsets.UTF_8));
            Check.equal(SendStatus.SEND_OK,
                producer.sendMessageInTransaction(message, null).getSendStatus(), "half " + text);
        }
    }

    private void decide(Cluster cluster) throws Exception {
        String topic = cluster.name("handed_over");
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("handed_over"));
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        TransactionMQProducer producer = started(cluster);
        // The newer client dials no broker, and so cannot be asked, before it has sent something.
        producer.send(new Message(topic, "plain", "plain-1".getBytes(StandardCharsets.UTF_8)));
        Check.eventually(CHECK_SECONDS_MAX, "the successor is asked about each",
            () -> asked.keySet().equals(TEXTS), () -> asked);
        Check.that(asked.values().stream().allMatch(id -> id != null && !id.isEmpty()),
            "and told its transaction id");
        Check.eventually(20, "what it commits is seen",
            () -> inbox.texts().equals(Set.of("commit-1", "commit-2", "plain-1")),
            inbox::texts);
        Thread.sleep(SETTLE_MS);
        Check.equal(3, inbox.count(), "messages seen in all");
    }

    private TransactionMQProducer started(Cluster cluster) throws Exception {
        TransactionMQProducer producer = cluster.transactionProducer("handed_over");
        producer.setTransactionListener(this);
        producer.start();
        return producer;
    }
}

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
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Half messages: committed ones are seen, rolled back ones never, undecided ones are asked for. */
public final class Transactions implements TransactionListener {
    private static final int CHECK_SECONDS_MAX = 100;
    private static final long SETTLE_MS = 3_000;

    private final Map<String, Integer> checks = new ConcurrentHashMap<>();

    private Transactions() {
    }

    public static void main(String[] words) {
        Program.run("Transactions", 150, words, cluster -> new Transactions().all(cluster));
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
        return switch (message.getTags()) {
            case "commit" -> LocalTransactionState.COMMIT_MESSAGE;
            case "rollback" -> LocalTransactionState.ROLLBACK_MESSAGE;
            default -> LocalTransactionState.UNKNOW;
        };
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt message) {
        checks.merge(message.getTags(), 1, Integer::sum);
        return message.getTags().equals("commit-when-asked") ? LocalTransactionState.COMMIT_MESSAGE
            : LocalTransactionState.ROLLBACK_MESSAGE;
    }

    private void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("transacted", 4);
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("transacted"));
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        TransactionMQProducer producer = cluster.transactionProducer("transacted");
        producer.setTransactionListener(this);
        producer.start();
        for (String tag : Set.of("commit", "rollback", "commit-when-asked", "drop-when-asked")) {
            Message message = new Message(topic, tag, tag, tag.getBytes(StandardCharsets.UTF_8));
            TransactionSendResult sent = producer.sendMessageInTransaction(message, null);
            Check.equal(SendStatus.SEND_OK, sent.getSendStatus(), "half message " + tag);
        }
        Check.eventually(20, "the committed message is seen, and it alone",
            () -> inbox.texts().equals(Set.of("commit")), inbox::texts);
        Check.eventually(CHECK_SECONDS_MAX, "the undecided ones are asked for",
            () -> checks.keySet().equals(Set.of("commit-when-asked", "drop-when-asked")),
            () -> checks);
        Check.eventually(20, "the one that was committed when asked is seen",
            () -> inbox.texts().equals(Set.of("commit", "commit-when-asked")), inbox::texts);
        Thread.sleep(SETTLE_MS);
        Check.equal(2, inbox.count(), "messages seen in all");
    }
}

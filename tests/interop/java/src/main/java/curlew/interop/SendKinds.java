package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** Every way to send, what each answers, and that what was sent is what is read. */
public final class SendKinds {
    private static final int QUEUES = 4;
    private static final int EACH = 20;
    private static final int BATCH = 10;

    private final DefaultMQProducer producer;
    private final String topic;
    private final Map<String, byte[]> sent = new ConcurrentHashMap<>();
    private final Map<Integer, Long> nextOffsets = new HashMap<>();
    private final Set<String> ids = new HashSet<>();

    private SendKinds(Cluster cluster) throws Exception {
        topic = cluster.topic("sends", QUEUES);
        producer = cluster.producer("sends");
    }

    public static void main(String[] words) {
        Program.run("SendKinds", 90, words, cluster -> new SendKinds(cluster).all(cluster));
    }

    private void all(Cluster cluster) throws Exception {
        sync();
        batch();
        byKey();
        bodies();
        async();
        oneWay();
        readBack(cluster);
    }

    private void sync() throws Exception {
        for (int i = 0; i < EACH; i++) {
            answered(producer.send(message("sync-" + i, text("sync " + i))), 1);
        }
        Check.equal(QUEUES, nextOffsets.size(), "sync sends took turns over the queues");
        MessageQueue third = new MessageQueue(topic, anyQueue().getBrokerName(), 3);
        SendResult result = producer.send(message("sync-chosen", text("chosen")), third);
        answered(result, 1);
        Check.equal(3, result.getMessageQueue().getQueueId(), "a send to queue 3 is in queue");
    }

    private void batch() throws Exception {
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < BATCH; i++) {
            messages.add(message("batch-" + i, text("batch " + i)));
        }
        SendResult result = producer.send(messages);
        Check.equal(BATCH, result.getMsgId().split(",").length, "ids of a batch");
        Check.equal(BATCH, result.getOffsetMsgId().split(",").length, "offset ids of a batch");
        answered(result, BATCH);
    }

    private void byKey() throws Exception {
        for (String key : List.of("order-1", "order-2", "order-1", "订单", "", "order-2")) {
            int chosen = Math.abs(key.hashCode()) % QUEUES;
            SendResult result = producer.send(message("key-" + ids.size(), text(key)),
                new SelectMessageQueueByHash(), key);
            answered(result, 1);
            Check.equal(chosen, result.getMessageQueue().getQueueId(),
                "key \"" + key + "\" is in queue");
        }
    }

    private void bodies() throws Exception {
        byte[] every = new byte[256];
        for (int i = 0; i < every.length; i++) {
            every[i] = (byte) i;
        }
        byte[] noise = new byte[200_000];
        new Random(7).nextBytes(noise);
        answered(producer.send(message("body-every-byte", every)), 1);
        answered(producer.send(message("body-repeating", text("curlew ".repeat(10_000)))), 1);
        answered(producer.send(message("body-noise", noise)), 1);
        answered(producer.send(message("body-one-byte", new byte[] {0})), 1);
        Message rich = message("body-properties", text("rich"));
        rich.putUserProperty("colour", "grün, 绿");
        rich.setFlag(42);
        answered(producer.send(rich), 1);
    }

    private void async() throws Exception {
        CountDownLatch done = new CountDownLatch(EACH);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Set<String> asyncIds = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < EACH; i++) {
            producer.send(message("async-" + i, text("async " + i)), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    if (result.getSendStatus() == SendStatus.SEND_OK) {
                        asyncIds.add(result.getMsgId());
                    }
                    done.countDown();
                }

                @Override
                public void onException(Throwable thrown) {
                    failure.set(thrown);
                    done.countDown();
                }
            });
        }
        Check.that(done.await(10, TimeUnit.SECONDS), "every asynchronous send was answered");
        Check.equal(null, failure.get(), "asynchronous failures");
        Check.equal(EACH, asyncIds.size(), "asynchronous sends answered SEND_OK, each with its id");
    }

    private void oneWay() throws Exception {
        for (int i = 0; i < EACH; i++) {
            producer.sendOneway(message("oneway-" + i, text("oneway " + i)));
        }
        Check.eventually(10, "one-way sends arrive: " + sent.size() + " messages in the queues",
            () -> stored() == sent.size(), this::stored);
    }

    private void readBack(Cluster cluster) throws Exception {
        DefaultLitePullConsumer consumer = cluster.litePullConsumer(cluster.group("sends"));
        consumer.start();
        consumer.assign(consumer.fetchMessageQueues(topic));
        Map<String, MessageExt> found = new HashMap<>();
        Check.eventually(20, "all " + sent.size() + " messages are read", () -> {
            for (MessageExt message : consumer.poll(500)) {
                found.put(message.getKeys(), message);
            }
            return found.size() == sent.size();
        }, found::size);
        int same = 0;
        for (Map.Entry<String, byte[]> entry : sent.entrySet()) {
            MessageExt message = found.get(entry.getKey());
            boolean equal = message != null && topic.equals(message.getTopic())
                && "kinds".equals(message.getTags())
                && Arrays.equals(entry.getValue(), message.getBody());
            same += equal ? 1 : 0;
        }
        Check.equal(sent.size(), same, "bodies, tags and keys read as they were sent");
        MessageExt large = found.get("body-repeating");
        // Newer clients clear the flag when they unpack the body, so the record's size must tell.
        Check.that(large.getStoreSize() < large.getBody().length / 10,
            "a body of " + large.getBody().length + " bytes is a record of "
            + large.getStoreSize());
        MessageExt rich = found.get("body-properties");
        Check.equal("grün, 绿", rich.getUserProperty("colour"), "a property beyond ASCII");
        Check.equal(42, rich.getFlag(), "the producer's flag");
        Check.that(ids.contains(rich.getMsgId()), "the id read is the id answered");
    }

    /** Holds the answer to what the client was promised. */
    private void answered(SendResult result, int messages) {
        int queue = result.getMessageQueue().getQueueId();
        Long expected = nextOffsets.get(queue);
        boolean good = result.getSendStatus() == SendStatus.SEND_OK
            && result.getMsgId() != null && !result.getMsgId().isEmpty()
            && result.getOffsetMsgId() != null && !result.getOffsetMsgId().isEmpty()
            && ids.add(result.getMsgId())
            && (expected == null || expected == result.getQueueOffset());
        if (!good) {
            throw new Check.Failure("answer " + result + ", expected offset " + expected);
        }
        nextOffsets.put(queue, result.getQueueOffset() + messages);
    }

    private long stored() throws Exception {
        long count = 0;
        for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
            count += producer.maxOffset(queue);
        }
        return count;
    }

    private MessageQueue anyQueue() throws Exception {
        return producer.fetchPublishMessageQueues(topic).get(0);
    }

    private Message message(String key, byte[] body) {
        sent.put(key, body);
        return new Message(topic, "kinds", key, body);
    }

    private static byte[] text(String text) {
        // A body may not be empty; a key may.
        return (text.isEmpty() ? "-" : text).getBytes(StandardCharsets.UTF_8);
    }
}

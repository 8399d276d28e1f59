package curlew.interop.v5;

import curlew.interop.Check;
import curlew.interop.Cluster;
import curlew.interop.Inbox;
import curlew.interop.Program;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageRequestMode;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** A push consumer whose group the broker switched to POP: shared queues, acknowledged one by one. */
public final class PopMode {
    private static final int MESSAGES = 60;
    private static final long ADMIN_MS_MAX = 5_000;

    private PopMode() {
    }

    public static void main(String[] words) {
        Program.run("PopMode", 120, words, PopMode::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("popped", 4);
        String group = cluster.group("popped");
        DefaultMQAdminExt admin = new DefaultMQAdminExt(ADMIN_MS_MAX);
        cluster.prepare(admin);
        admin.start();
        String broker = new TreeMap<>(admin.examineBrokerClusterInfo()
            .getBrokerAddrTable()).firstEntry().getValue().selectBrokerAddr();
        admin.setMessageRequestMode(broker, topic, group, MessageRequestMode.POP, 8, ADMIN_MS_MAX);

        Inbox first = new Inbox();
        Inbox second = new Inbox();
        AtomicInteger refused = new AtomicInteger();
        start(cluster, group, topic, first, refused);
        start(cluster, group, topic, second, refused);
        DefaultMQProducer producer = cluster.producer("popped");
        Set<String> sent = new HashSet<>();
        for (int i = 0; i < MESSAGES; i++) {
            sent.add("message " + i);
            producer.send(new Message(topic, ("message " + i).getBytes(StandardCharsets.UTF_8)));
        }
        Check.eventually(60, "two popping members consume everything", () -> {
            Set<String> union = first.texts();
            union.addAll(second.texts());
            return union.equals(sent);
        }, () -> first.count() + " + " + second.count());
        Check.eventually(60, "the refused message came again",
            () -> first.count() + second.count() == MESSAGES && refused.get() == 1,
            () -> first.count() + " + " + second.count() + ", refused " + refused);
        admin.shutdown();
    }

    private static void start(Cluster cluster, String group, String topic, Inbox inbox,
        AtomicInteger refused) throws Exception {
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        consumer.setClientRebalance(false);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            if (Inbox.text(batch.get(0)).equals("message 7") && refused.getAndIncrement() == 0) {
                return ConsumeConcurrentlyStatus.RECONSUME_LATER;
            }
            refused.compareAndSet(2, 1);
            batch.forEach(inbox::add);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }
}

package curlew.interop.v5;

import curlew.interop.Check;
import curlew.interop.Cluster;
import curlew.interop.Inbox;
import curlew.interop.Program;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageRequestMode;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** Two popping members with orderly listeners: each queue's messages come in order, also refused ones. */
public final class PopOrderly {
    private static final int QUEUES = 2;
    private static final int MESSAGES = 20;
    private static final long ADMIN_MS_MAX = 5_000;

    private PopOrderly() {
    }

    public static void main(String[] words) {
        Program.run("PopOrderly", 120, words, PopOrderly::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("popped_in_order", QUEUES);
        String group = cluster.group("popped_in_order");
        DefaultMQAdminExt admin = new DefaultMQAdminExt(ADMIN_MS_MAX);
        cluster.prepare(admin);
        admin.start();
        String broker = new TreeMap<>(admin.examineBrokerClusterInfo()
            .getBrokerAddrTable()).firstEntry().getValue().selectBrokerAddr();
        admin.setMessageRequestMode(broker, topic, group, MessageRequestMode.POP, 0, ADMIN_MS_MAX);

        Map<Integer, List<String>> consumed = new ConcurrentHashMap<>();
        AtomicInteger refusals = new AtomicInteger();
        for (int member = 0; member < 2; member++) {
            start(cluster, group, topic, consumed, refusals);
        }
        DefaultMQProducer producer = cluster.producer("popped_in_order");
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < MESSAGES; i++) {
            expected.add("message " + i);
            for (int queue = 0; queue < QUEUES; queue++) {
                Message message =
                    new Message(topic, ("message " + i).getBytes(StandardCharsets.UTF_8));
                producer.send(message, (queues, sent, wanted) -> queues.get((int) wanted), queue);
            }
        }
        Check.eventually(80, "everything is consumed", () -> count(consumed) == QUEUES * MESSAGES,
            () -> consumed);
        for (int queue = 0; queue < QUEUES; queue++) {
            Check.equal(expected, consumed.get(queue), "queue " + queue + " came in order");
        }
        Check.equal(1, refusals.get(), "one message was refused, and came again in its place");
        admin.shutdown();
    }

    private static int count(Map<Integer, List<String>> consumed) {
        return consumed.values().stream().mapToInt(List::size).sum();
    }

    private static void start(Cluster cluster, String group, String topic,
        Map<Integer, List<String>> consumed, AtomicInteger refusals) throws Exception {
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        consumer.setClientRebalance(false);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (batch, context) -> {
            String text = Inbox.text(batch.get(0));
            int queue = batch.get(0).getQueueId();
            if (queue == 0 && text.equals("message 7") && refusals.compareAndSet(0, 1)) {
                return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
            }
            batch.forEach(each -> consumed.computeIfAbsent(queue,
                absent -> new ArrayList<>()).add(Inbox.text(each)));
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
    }
}

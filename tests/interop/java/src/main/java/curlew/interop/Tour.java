package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/**
 * A client's life with few messages, to be recorded: start, route, heartbeat, every kind of send,
 * pull, send-back, offsets, locks, shutdown.
 */
public final class Tour {
    private Tour() {
    }

    public static void main(String[] words) {
        Program.run("Tour", 120, words, Tour::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("tour", 2);
        produce(cluster, topic);
        consume(cluster, topic);
        inOrder(cluster, topic);
        byHand(cluster, topic);
    }

    private static void produce(Cluster cluster, String topic) throws Exception {
        DefaultMQProducer producer = cluster.producer("tour");
        producer.send(message(topic, "first"));
        producer.sendOneway(message(topic, "one-way"));
        List<Message> batch = new ArrayList<>();
        batch.add(message(topic, "batch 0"));
        batch.add(message(topic, "batch 1"));
        producer.send(batch);
        producer.send(message(topic, "compressed ".repeat(500)));
        producer.shutdown();
    }

    private static void consume(Cluster cluster, String topic) throws Exception {
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("tour"));
        consumer.setPersistConsumerOffsetInterval(1_000);
        consumer.subscribe(topic, "tag || other");
        Inbox inbox = new Inbox();
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(inbox::add);
            context.setDelayLevelWhenNextConsume(1);
            boolean refused = messages.stream().anyMatch(each -> each.getReconsumeTimes() == 0
                && Inbox.text(each).equals("first"));
            return refused ? ConsumeConcurrentlyStatus.RECONSUME_LATER
                : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        Check.eventually(60, "five messages and one again", () -> inbox.count() == 6,
            inbox::count);
        Thread.sleep(1_500);
        consumer.shutdown();
    }

    private static void inOrder(Cluster cluster, String topic) throws Exception {
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("tour_ordered"));
        consumer.subscribe(topic, "*");
        Inbox inbox = new Inbox();
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            messages.forEach(inbox::add);
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        Check.eventually(60, "five messages in order", () -> inbox.count() == 5, inbox::count);
        consumer.shutdown();
    }

    private static void byHand(Cluster cluster, String topic) throws Exception {
        DefaultLitePullConsumer consumer = cluster.litePullConsumer(cluster.group("tour_pull"));
        consumer.subscribe(topic, "*");
        consumer.start();
        Inbox inbox = new Inbox();
        Check.eventually(60, "five messages by hand", () -> {
            consumer.poll(500).forEach(inbox::add);
            return inbox.count() == 5;
        }, inbox::count);
        consumer.commitSync();
        consumer.shutdown();
    }

    private static Message message(String topic, String text) {
        return new Message(topic, "tag", "key", text.getBytes(StandardCharsets.UTF_8));
    }
}

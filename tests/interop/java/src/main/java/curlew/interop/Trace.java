package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Clients with tracing on leave in the trace topic what they sent and what they consumed. */
public final class Trace {
    private static final String TOPIC = "RMQ_SYS_TRACE_TOPIC";

    private Trace() {
    }

    public static void main(String[] words) {
        Program.run("Trace", 60, words, Trace::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("traced", 2);
        DefaultMQProducer producer = new DefaultMQProducer(cluster.name("traced"), true,
            TOPIC);
        cluster.prepare(producer);
        producer.start();
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(cluster.group("traced"), true,
            TOPIC);
        cluster.prepare(consumer);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        new Inbox().attachTo(consumer);
        consumer.start();
        SendResult sent = producer.send(new Message(topic, "tag", "traced-key",
            "trace me".getBytes(StandardCharsets.UTF_8)));
        DefaultLitePullConsumer reader = cluster.litePullConsumer(cluster.group("tracing"));
        reader.start();
        reader.assign(reader.fetchMessageQueues(TOPIC));
        Set<String> keys = new HashSet<>();
        StringBuilder traces = new StringBuilder();
        Check.eventually(30, "the trace topic has a record with the id of the send", () -> {
            for (MessageExt message : reader.poll(500)) {
                if (message.getKeys() != null) {
                    keys.addAll(Set.of(message.getKeys().split(" ")));
                }
                traces.append(Inbox.text(message));
            }
            return keys.contains(sent.getMsgId()) && traces.indexOf("Pub") >= 0;
        }, () -> keys);
        Check.that(keys.contains("traced-key"), "and with the key of the message");
        Check.eventually(30, "and one of its consumption", () -> {
            for (MessageExt message : reader.poll(500)) {
                traces.append(Inbox.text(message));
            }
            return traces.indexOf("SubBefore") >= 0 && traces.indexOf("SubAfter") >= 0;
        }, () -> traces);
        consumer.shutdown();
        producer.shutdown();
    }
}

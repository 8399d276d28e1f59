package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** A producer with tracing on leaves a record of its send in the trace topic. */
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
        SendResult sent = producer.send(new Message(topic, "tag", "traced-key",
            "trace me".getBytes(StandardCharsets.UTF_8)));
        DefaultLitePullConsumer reader = cluster.litePullConsumer(cluster.group("tracing"));
        reader.start();
        reader.assign(reader.fetchMessageQueues(TOPIC));
        Set<String> keys = new HashSet<>();
        Check.eventually(30, "the trace topic has a record with the id of the send", () -> {
            for (MessageExt message : reader.poll(500)) {
                if (message.getKeys() != null) {
                    keys.addAll(Set.of(message.getKeys().split(" ")));
                }
            }
            return keys.contains(sent.getMsgId());
        }, () -> keys);
        Check.that(keys.contains("traced-key"), "and with the key of the message");
        producer.shutdown();
    }
}

package curlew.interop;

import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** A stored message is found by its place, by its id and by its key. */
public final class Lookup {
    private Lookup() {
    }

    public static void main(String[] words) {
        Program.run("Lookup", 60, words, Lookup::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("looked_up", 2);
        DefaultMQProducer producer = cluster.producer("looked_up");
        long beginMs = System.currentTimeMillis() - 1_000;
        SendResult sent = producer.send(new Message(topic, "tag", "key-a key-b",
            "find me".getBytes(StandardCharsets.UTF_8)));
        producer.send(new Message(topic, "tag", "key-c", "not me".getBytes()));
        same(producer.viewMessage(topic, sent.getOffsetMsgId()), sent, "by its place");
        Check.eventually(10, "it is indexed", () -> found(producer, topic, "key-a", beginMs) == 1,
            () -> found(producer, topic, "key-a", beginMs));
        same(producer.viewMessage(topic, sent.getMsgId()), sent, "by its id");
        Check.equal(1, found(producer, topic, "key-b", beginMs), "found by its second key");
        Check.equal(0, found(producer, topic, "key-z", beginMs), "found by a key nobody sent");
    }

    private static int found(DefaultMQProducer producer, String topic, String key, long beginMs)
        throws Exception {
        try {
            QueryResult result = producer.queryMessage(topic, key, 32, beginMs,
                System.currentTimeMillis() + 10_000);
            return result.getMessageList().size();
        } catch (MQClientException none) {
            return 0;
        }
    }

    private static void same(MessageExt found, SendResult sent, String how) {
        Check.equal("find me", found == null ? null : Inbox.text(found), "found " + how);
        Check.equal(sent.getMsgId(), found.getMsgId(), "and it has the id of the send");
        Check.equal(sent.getQueueOffset(), found.getQueueOffset(), "and its offset");
    }
}

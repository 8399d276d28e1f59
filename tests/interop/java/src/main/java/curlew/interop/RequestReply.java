package curlew.interop;

import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.RequestTimeoutException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** A request is answered to the producer that asked, and times out when nobody answers. */
public final class RequestReply {
    private static final long ANSWER_MS_MAX = 10_000;

    private RequestReply() {
    }

    public static void main(String[] words) {
        Program.run("RequestReply", 60, words, RequestReply::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("asked", 4);
        DefaultMQProducer answering = cluster.producer("answering");
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("asked"));
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            for (MessageExt message : batch) {
                if (!"unanswered".equals(message.getTags())) {
                    answer(answering, message);
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        Check.eventually(15, "the answering side reads every queue",
            () -> Cluster.owned(consumer, topic).size() == 4, () -> 0);
        DefaultMQProducer asking = cluster.producer("requesting");
        for (int i = 0; i < 5; i++) {
            Message reply = asking.request(message(topic, "answered", "question " + i),
                ANSWER_MS_MAX);
            Check.equal("answer to question " + i,
                new String(reply.getBody(), StandardCharsets.UTF_8), "a reply");
        }
        try {
            asking.request(message(topic, "unanswered", "anyone?"), 2_000);
        } catch (RequestTimeoutException expected) {
            Check.that(true, "a request that nobody answers times out");
            return;
        }
        throw new Check.Failure("a request that nobody answers was answered");
    }

    private static void answer(DefaultMQProducer producer, MessageExt request) {
        byte[] body = ("answer to " + Inbox.text(request)).getBytes(StandardCharsets.UTF_8);
        try {
            producer.send(MessageUtil.createReplyMessage(request, body));
        } catch (Exception thrown) {
            System.out.println("  note: the reply was refused: " + thrown);
        }
    }

    private static Message message(String topic, String tag, String text) {
        return new Message(topic, tag, text.getBytes(StandardCharsets.UTF_8));
    }
}

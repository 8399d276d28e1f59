package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.message.MessageExt;

/** What one consumer received, in the order in which it was handed over. */
public final class Inbox {
    private final List<MessageExt> messages = new ArrayList<>();

    /** Makes a push consumer put everything it is handed into this inbox. */
    public void attachTo(DefaultMQPushConsumer consumer) {
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            batch.forEach(this::add);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
    }

    public synchronized void add(MessageExt message) {
        messages.add(message);
    }

    /** How many were handed over, repeats counted. */
    public synchronized int count() {
        return messages.size();
    }

    public synchronized List<MessageExt> all() {
        return new ArrayList<>(messages);
    }

    /** The bodies, as text, each once. */
    public synchronized Set<String> texts() {
        Set<String> texts = new HashSet<>();
        for (MessageExt message : messages) {
            texts.add(text(message));
        }
        return texts;
    }

    /** A body as text. */
    public static String text(MessageExt message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }
}

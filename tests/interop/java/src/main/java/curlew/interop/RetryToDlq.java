package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** A message that is refused comes back, counted, and after the last try is a dead letter. */
public final class RetryToDlq {
    private static final int RETRIES_MAX = 2;
    private static final int LEVEL_ONE_SECOND = 1;

    private RetryToDlq() {
    }

    public static void main(String[] words) {
        Program.run("RetryToDlq", 120, words, RetryToDlq::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("retried", 2);
        String group = cluster.group("retried");
        List<MessageExt> tries = Collections.synchronizedList(new ArrayList<>());
        List<Long> refusedMs = Collections.synchronizedList(new ArrayList<>());
        Inbox good = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        consumer.setMaxReconsumeTimes(RETRIES_MAX);
        // Tags do not hold for what comes back: the retry topic is read whole.
        consumer.subscribe(topic, "bad || good");
        consumer.registerMessageListener((MessageListenerConcurrently) (batch, context) -> {
            MessageExt message = batch.get(0);
            if ("good".equals(message.getTags())) {
                good.add(message);
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            }
            refusedMs.add(System.currentTimeMillis());
            tries.add(message);
            context.setDelayLevelWhenNextConsume(LEVEL_ONE_SECOND);
            return ConsumeConcurrentlyStatus.RECONSUME_LATER;
        });
        consumer.start();

        DefaultMQProducer producer = cluster.producer("retried");
        SendResult sent = producer.send(message(topic, "bad"));
        producer.send(message(topic, "good"));
        Check.eventually(15, "a good message is consumed once meanwhile", () -> good.count() == 1,
            good::count);
        // A client that asked for the retry topic too early looks again only after 20 seconds.
        Check.eventually(45, "the bad one is tried " + (RETRIES_MAX + 1) + " times",
            () -> tries.size() == RETRIES_MAX + 1, tries::size);
        came(tries, refusedMs, sent, topic);
        MessageExt dead = deadLetter(cluster, group);
        Check.equal("bad body", Inbox.text(dead), "the dead letter's body");
        Check.equal("bad", dead.getTags(), "the dead letter's tag");
        Check.equal("bad-key", dead.getKeys(), "the dead letter's key");
        Check.equal(sent.getMsgId(), dead.getMsgId(), "the dead letter's id");
        Check.equal(topic, dead.getProperty("RETRY_TOPIC"), "the topic it died in");
        Check.equal(sent.getOffsetMsgId(), dead.getProperty("ORIGIN_MESSAGE_ID"),
            "the place it was first stored at");
        System.out.println("  note: dead letter has reconsumeTimes " + dead.getReconsumeTimes()
            + ", properties " + dead.getProperties());
        Check.equal(RETRIES_MAX + 1, tries.size(), "and it was not tried again");
    }

    private static Message message(String topic, String kind) {
        return new Message(topic, kind, kind + "-key",
            (kind + " body").getBytes(StandardCharsets.UTF_8));
    }

    private static void came(List<MessageExt> tries, List<Long> refusedMs, SendResult sent,
        String topic) {
        Check.equal(List.of(0, 1, 2),
            tries.stream().map(MessageExt::getReconsumeTimes).collect(Collectors.toList()),
            "times it had come before, by try");
        for (MessageExt each : tries) {
            if (!each.getMsgId().equals(sent.getMsgId()) || !each.getTopic().equals(topic)) {
                throw new Check.Failure("a try has another id or topic: " + each);
            }
        }
        Check.that(true, "every try has the id that the send answered, and the original topic");
        for (int i = 1; i < tries.size(); i++) {
            long gapMs = tries.get(i).getStoreTimestamp() - refusedMs.get(i - 1);
            Check.that(gapMs >= 900 && gapMs < 4_000,
                "try " + i + " was due a delay of level 1 later: " + gapMs + " ms");
        }
    }

    private static MessageExt deadLetter(Cluster cluster, String group) throws Exception {
        String topic = "%DLQ%" + group;
        DefaultLitePullConsumer reader = cluster.litePullConsumer(cluster.group("undertaker"));
        reader.start();
        List<MessageQueue> queues = new ArrayList<>();
        Check.eventually(20, topic + " has a queue", () -> {
            try {
                queues.addAll(reader.fetchMessageQueues(topic));
            } catch (MQClientException notYet) {
                return false;
            }
            return !queues.isEmpty();
        }, queues::size);
        reader.assign(queues);
        List<MessageExt> found = new ArrayList<>();
        Check.eventually(20, "the dead letter is there", () -> {
            found.addAll(reader.poll(500));
            return !found.isEmpty();
        }, found::size);
        found.addAll(reader.poll(1_000));
        Check.equal(1, found.size(), "dead letters");
        return found.get(0);
    }
}

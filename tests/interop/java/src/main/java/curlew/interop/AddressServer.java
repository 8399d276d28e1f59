package curlew.interop;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/**
 * Clients that are given no name server look it up: {@code -Drocketmq.namesrv.domain=host:port}.
 */
public final class AddressServer {
    private static final int MESSAGES = 20;

    private AddressServer() {
    }

    public static void main(String[] words) {
        Program.run("AddressServer", 60, words, AddressServer::all);
    }

    private static void all(Cluster cluster) throws Exception {
        String topic = cluster.topic("looked_up_server", 2);
        DefaultMQProducer producer = new DefaultMQProducer(cluster.name("server") + "_producer");
        cluster.prepare(producer);
        producer.setNamesrvAddr(null);
        producer.start();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(cluster.group("looked_up_server"));
        consumer.setNamesrvAddr(null);
        consumer.subscribe(topic, "*");
        Inbox inbox = new Inbox();
        inbox.attachTo(consumer);
        consumer.start();
        Check.equal(cluster.nameServer, producer.getDefaultMQProducerImpl().getMqClientFactory()
            .getMQClientAPIImpl().getNameServerAddressList().get(0), "the name server looked up");
        Set<String> wanted = new HashSet<>();
        for (int i = 0; i < MESSAGES; i++) {
            String text = "found " + i;
            Check.that(producer.send(new Message(topic, "tag", text.getBytes(StandardCharsets.UTF_8)))
                .getSendStatus() == SendStatus.SEND_OK, "sent: " + text);
            wanted.add(text);
        }
        Check.eventually(15, "a consumer that looked it up reads all",
            () -> inbox.texts().equals(wanted), inbox::count);
        producer.shutdown();
    }
}

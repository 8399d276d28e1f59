package curlew.interop.v5;

import curlew.interop.Check;
import curlew.interop.Cluster;
import curlew.interop.Inbox;
import curlew.interop.Program;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/** The commands of mqadmin that an operator uses, and what they print. */
public final class Admin {
    private final Cluster cluster;

    private Admin(Cluster cluster) {
        this.cluster = cluster;
    }

    public static void main(String[] words) {
        Program.run("Admin", 120, words, cluster -> new Admin(cluster).all());
    }

    private void all() throws Exception {
        String broker = cluster.raw().broker();
        String topic = cluster.name("admin");
        String group = cluster.name("admin_group");
        says("updateTopic -b " + broker + " -t " + topic + " -r 4 -w 4", "success");
        says("topicList", topic);
        says("topicRoute -t " + topic, broker);
        says("clusterList", "DefaultCluster");
        says("brokerStatus -b " + broker, "putTps");
        says("updateSubGroup -b " + broker + " -g " + group, "success");
        used(topic, group);
        says("topicStatus -t " + topic, "#Max Offset");
        says("consumerProgress -g " + group, "Diff Total: 0");
        says("getBrokerConfig -b " + broker, "autoCreateTopicEnable");
        says("resetOffsetByTime -g " + group + " -t " + topic + " -s 0", topic);
        says("deleteSubGroup -b " + broker + " -g " + group, "success");
        says("deleteTopic -c DefaultCluster -t " + topic, "success");
    }

    /** Ten messages consumed and their offsets committed. */
    private void used(String topic, String group) throws Exception {
        DefaultMQProducer producer = cluster.producer("admin");
        for (int i = 0; i < 10; i++) {
            producer.send(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)));
        }
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        Check.eventually(20, "the group consumes ten messages", () -> inbox.count() == 10,
            inbox::count);
        consumer.shutdown();
    }

    private void says(String command, String expected) {
        PrintStream out = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream capturing = new PrintStream(said, true, StandardCharsets.UTF_8);
        try {
            System.setOut(capturing);
            MQAdminStartup.main0((command + " -n " + cluster.nameServer).split(" "), null);
        } finally {
            System.setOut(out);
        }
        String text = said.toString(StandardCharsets.UTF_8);
        Check.that(text.contains(expected), "mqadmin " + command + " says \"" + expected + "\""
            + (text.contains(expected) ? "" : ", found: " + text));
    }
}

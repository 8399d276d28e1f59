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
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * The commands of mqadmin that look at a broker at work: each ends without an error, and shows what
 * it was asked for.
 */
public final class MqAdmin {
    private static final int MESSAGES = 10;

    private final Cluster cluster;

    private MqAdmin(Cluster cluster) {
        this.cluster = cluster;
    }

    public static void main(String[] words) {
        Program.run("MqAdmin", 150, words, cluster -> new MqAdmin(cluster).all());
    }

    private void all() throws Exception {
        String broker = cluster.raw().broker();
        String topic = cluster.name("mqadmin");
        String group = cluster.name("mqadmin_group");
        says("updateTopic -c DefaultCluster -t " + topic + " -r 2 -w 2", "success");
        says("updateSubGroup -c DefaultCluster -g " + group, "success");
        DefaultMQProducer producer = cluster.producer("mqadmin");
        Inbox inbox = new Inbox();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        SendResult sent = null;
        for (int i = 0; i < MESSAGES; i++) {
            sent = producer.send(new Message(topic, "tag", "key-" + i,
                ("body " + i).getBytes(StandardCharsets.UTF_8)));
        }
        String brokerName = sent.getMessageQueue().getBrokerName();
        Check.eventually(20, "the group consumes every message",
            () -> inbox.count() == MESSAGES, inbox::count);
        Check.eventually(15, "the group commits its offsets",
            () -> said("consumerProgress -g " + group).contains(topic), () -> "none");
        shows(topic, group, broker);
        finds(topic, sent);
        says("sendMessage -t " + topic + " -p hello -b " + brokerName + " -i 1", "SEND_OK");
        says("consumeMessage -t " + topic + " -b " + brokerName + " -i 1 -o 0 -c 3", "body ");
        says("printMsg -t " + topic + " -d true", "body 7");
        says("printMsgByQueue -t " + topic + " -a " + brokerName + " -i 0 -d true -p true", "body ");
        resets(topic, group, inbox);
        consumer.shutdown();
        says("deleteSubGroup -c DefaultCluster -g " + group, "success");
        says("deleteTopic -c DefaultCluster -t " + topic, "success");
    }

    private void shows(String topic, String group, String broker) {
        says("clusterList", "DefaultCluster");
        says("topicList -c", topic);
        says("topicRoute -t " + topic, broker);
        says("topicStatus -t " + topic, "#Max Offset");
        says("topicClusterList -t " + topic, "DefaultCluster");
        says("brokerStatus -c DefaultCluster", "putTps");
        says("consumerProgress -g " + group, topic);
        says("consumerConnection -g " + group, "CONSUME_PASSIVELY");
        says("consumerStatus -g " + group, "#ClientId");
        says("producerConnection -g " + cluster.name("mqadmin") + "_producer -t " + topic, "JAVA");
        says("producer -b " + broker, cluster.name("mqadmin") + "_producer");
        says("statsAll -t " + topic, group);
        says("brokerConsumeStats -b " + broker, topic);
        says("getConsumerConfig -g " + group, group);
        says("queryCq -t " + topic + " -q 0 -i 0 -c 3 -b " + broker, "physicSize");
        says("getNamesrvConfig", "listenPort");
    }

    private void finds(String topic, SendResult sent) {
        says("queryMsgById -t " + topic + " -i " + sent.getOffsetMsgId(), sent.getMsgId());
        says("queryMsgByKey -t " + topic + " -k key-9", sent.getMsgId());
        says("queryMsgByUniqueKey -t " + topic + " -i " + sent.getMsgId(), "key-9");
        says("queryMsgByOffset -t " + topic + " -b " + sent.getMessageQueue().getBrokerName() + " -i "
            + sent.getMessageQueue().getQueueId() + " -o " + sent.getQueueOffset(), sent.getMsgId());
    }

    /** The group is online: its member follows, and reads everything once more. */
    private void resets(String topic, String group, Inbox inbox) throws Exception {
        says("resetOffsetByTime -g " + group + " -t " + topic + " -s 0", topic);
        Check.eventually(40, "a member that is online begins again",
            () -> inbox.count() >= 2 * MESSAGES + 1, inbox::count);
    }

    private void says(String command, String expected) {
        String text = said(command);
        boolean isGood = text.contains(expected) && !text.contains("Exception");
        Check.that(isGood, "mqadmin " + command + " says \"" + expected + "\""
            + (isGood ? "" : ", found: " + text));
    }

    /** What a command prints, its errors included. */
    private String said(String command) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream capturing = new PrintStream(said, true, StandardCharsets.UTF_8);
        try {
            System.setOut(capturing);
            System.setErr(capturing);
            MQAdminStartup.main0((command + " -n " + cluster.nameServer).split(" "), null);
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        return said.toString(StandardCharsets.UTF_8);
    }
}

package curlew.interop.v5;

import curlew.interop.Check;
import curlew.interop.Cluster;
import curlew.interop.Inbox;
import curlew.interop.Program;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.message.MessageRequestMode;
import org.apache.rocketmq.remoting.protocol.body.CMResult;
import org.apache.rocketmq.remoting.protocol.body.ConsumeMessageDirectlyResult;
import org.apache.rocketmq.remoting.protocol.body.ConsumerRunningInfo;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** The calls behind the pages of rocketmq-dashboard, by the admin client it is made of. */
public final class Dashboard {
    private static final long ADMIN_MS_MAX = 5_000;
    private static final int MESSAGES = 8;

    private final Cluster cluster;
    private final DefaultMQAdminExt admin = new DefaultMQAdminExt(ADMIN_MS_MAX);
    private String broker;
    private String topic;
    private String group;

    private Dashboard(Cluster cluster) {
        this.cluster = cluster;
    }

    public static void main(String[] words) {
        Program.run("Dashboard", 120, words, cluster -> new Dashboard(cluster).all());
    }

    private void all() throws Exception {
        broker = cluster.raw().broker();
        topic = cluster.topic("dashboard", 2);
        group = cluster.group("dashboard");
        cluster.prepare(admin);
        admin.start();
        DefaultMQPushConsumer consumer = cluster.pushConsumer(group);
        Inbox inbox = new Inbox();
        consumer.subscribe(topic, "*");
        inbox.attachTo(consumer);
        consumer.start();
        DefaultMQProducer producer = cluster.producer("dashboard");
        SendResult sent = null;
        for (int i = 0; i < MESSAGES; i++) {
            sent = producer.send(new Message(topic, ("m" + i).getBytes(StandardCharsets.UTF_8)));
        }
        Check.eventually(20, "the group consumes", () -> inbox.count() == MESSAGES, inbox::count);
        clusterPage();
        topicPage();
        Check.eventually(15, "the group's offsets arrive",
            () -> admin.examineConsumeStats(group, topic).getOffsetTable().values().stream()
                .mapToLong(each -> each.getConsumerOffset()).sum() == MESSAGES,
            () -> admin.examineConsumeStats(group, topic).computeTotalDiff());
        consumerPage(consumer.buildMQClientId());
        messagePage(consumer.buildMQClientId(), sent, inbox);
        admin.shutdown();
    }

    private void clusterPage() throws Exception {
        Map<String, String> status = admin.fetchBrokerRuntimeStats(broker).getTable();
        double perSecond = Double.parseDouble(status.get("putTps").split(" ")[1]);
        Check.that(perSecond > 0, "putTps is more than nothing: " + perSecond);
        Properties config = admin.getBrokerConfig(broker);
        Check.that(config.containsKey("brokerName"), "the broker tells its settings");
        Check.that(!admin.getNameServerConfig(null).isEmpty(), "and the name server its own");
        boolean isRefused = false;
        try {
            admin.updateBrokerConfig(broker, config);
        } catch (Exception refused) {
            isRefused = true;
        }
        Check.that(isRefused, "settings cannot be changed from afar");
        Check.that(!admin.getAllProducerInfo(broker).getData().isEmpty(), "producers are listed");
    }

    private void topicPage() throws Exception {
        Check.that(admin.fetchAllTopicList().getTopicList().contains(topic), "the topic is listed");
        Check.that(admin.getUserTopicConfig(broker, true, ADMIN_MS_MAX).getTopicConfigTable()
            .containsKey(topic), "and so are its settings");
        Check.that(admin.getTopicClusterList(topic).contains("DefaultCluster"), "with its cluster");
        Check.equal((long) MESSAGES, admin.viewBrokerStatsData(broker, "TOPIC_PUT_NUMS", topic)
            .getStatsMinute().getSum(), "messages sent within the last minute");
        Check.equal((long) MESSAGES, admin.viewBrokerStatsData(broker, "GROUP_GET_NUMS",
            topic + "@" + group).getStatsDay().getSum(), "messages given within the last day");
        Check.that(admin.examineTopicStats(broker, topic).getTopicPutTps() > 0, "the topic has a rate");
        Check.that(admin.queryTopicConsumeByWho(topic).getGroupList().contains(group),
            "the topic's groups are listed");
    }

    private void consumerPage(String clientId) throws Exception {
        Check.that(admin.getAllSubscriptionGroup(broker, ADMIN_MS_MAX).getSubscriptionGroupTable()
            .containsKey(group), "the group is listed");
        Check.equal(1, admin.examineConsumerConnectionInfo(group).getConnectionSet().size(),
            "its members");
        Check.that(admin.examineConsumeStats(group).getConsumeTps() > 0, "the group has a rate");
        Check.that(admin.queryTopicsByConsumer(group).getTopicList().contains(topic),
            "its topics are listed");
        Check.equal("*", admin.querySubscription(group, topic).getSubString(), "its subscription");
        Check.equal(2, admin.queryConsumeTimeSpan(topic, group).size(), "time spans of queues");
        Check.that(!admin.fetchConsumeStatsInBroker(broker, false, ADMIN_MS_MAX)
            .getConsumeStatsList().isEmpty(), "the groups of the broker have figures");
        ConsumerRunningInfo info = admin.getConsumerRunningInfo(group, clientId, true);
        Check.that(info.getSubscriptionSet().size() > 0, "a member tells of itself");
        Check.that(info.getJstack().contains("STATE"), "and of its threads");
        Map<String, Map<MessageQueue, Long>> status = admin.getConsumeStatus(topic, group, "");
        Check.equal(2, status.get(clientId).size(), "a member tells its offsets");
        Check.equal(true, admin.updateAndGetGroupReadForbidden(broker, group, topic, null)
            .getReadable(), "the group may read");
        String heir = cluster.group("dashboard_heir");
        admin.cloneGroupOffset(group, heir, topic, true);
        Check.equal(0L, admin.examineConsumeStats(heir, topic).computeTotalDiff(),
            "a group that is given another's offsets is as far as it");
        admin.setMessageRequestMode(broker, topic, heir, MessageRequestMode.POP, 4, ADMIN_MS_MAX);
    }

    private void messagePage(String clientId, SendResult sent, Inbox inbox) throws Exception {
        MessageExt found = admin.viewMessage(topic, sent.getMsgId());
        Check.equal(sent.getMsgId(), found.getMsgId(), "a message is found");
        int before = inbox.count();
        ConsumeMessageDirectlyResult result =
            admin.consumeMessageDirectly(group, clientId, topic, sent.getMsgId());
        Check.equal(CMResult.CR_SUCCESS, result.getConsumeResult(), "a member consumes it again");
        Check.equal(before + 1, inbox.count(), "and has it once more");
        Check.that(!admin.messageTrackDetail(found).isEmpty(), "who consumed it is told");
    }
}

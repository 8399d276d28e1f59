package curlew.interop;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * The broker under test, and the clients opened against it. Names carry the run, so that programs
 * can share one broker. Topics are created over HTTP when {@code --http} is given, and by the
 * remoting protocol otherwise.
 */
public final class Cluster implements AutoCloseable {
    private static final int ROUTE_SECONDS_MAX = 15;

    public final Arguments arguments;
    public final String nameServer;
    private final String http;
    private final String run;
    private final Deque<Runnable> open = new ArrayDeque<>();
    private int clients = 0;
    private Raw raw;

    Cluster(Arguments arguments) {
        this.arguments = arguments;
        nameServer = arguments.required("namesrv");
        http = arguments.or("http", "");
        run = arguments.or("run", Long.toString(System.currentTimeMillis(), 36));
    }

    /** A name of this run: of a topic that is not created, or of a group that need not be. */
    public String name(String purpose) {
        return "interop_" + purpose + "_" + run;
    }

    /** What tells this run's names from another's. */
    public String run() {
        return run;
    }

    /** Creates a topic of this run, and waits until every client can find it. */
    public String topic(String purpose, int queues) throws Exception {
        String topic = name(purpose);
        if (http.isEmpty()) {
            raw().createTopic(topic, queues);
        } else {
            put("/v1/topics/" + topic, "{\"queues\":" + queues + "}");
        }
        DefaultMQProducer asking = producer("asking");
        Check.eventually(ROUTE_SECONDS_MAX, "topic " + topic + " has a route to " + queues
            + " queues", () -> writable(asking, topic) == queues, () -> writable(asking, topic));
        return topic;
    }

    /** A consumer group of this run; created where groups are created by HTTP. */
    public String group(String purpose) throws Exception {
        String group = name(purpose);
        if (!http.isEmpty()) {
            put("/v1/groups/" + group, "{}");
        }
        return group;
    }

    /** A started producer that never retries: an error is to be seen, and offsets to be exact. */
    public DefaultMQProducer producer(String purpose) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(name(purpose) + "_producer");
        prepare(producer);
        producer.setRetryTimesWhenSendFailed(0);
        producer.setRetryTimesWhenSendAsyncFailed(0);
        producer.start();
        open.push(producer::shutdown);
        return producer;
    }

    /** A transaction producer, not started: its listener comes first. */
    public TransactionMQProducer transactionProducer(String purpose) {
        TransactionMQProducer producer = new TransactionMQProducer(name(purpose) + "_producer");
        prepare(producer);
        open.push(producer::shutdown);
        return producer;
    }

    /** A push consumer that reads from the first message; not started. */
    public DefaultMQPushConsumer pushConsumer(String group) {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
        prepare(consumer);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeThreadMin(4);
        consumer.setConsumeThreadMax(4);
        open.push(consumer::shutdown);
        return consumer;
    }

    /** A pull consumer that commits when told to; not started. */
    public DefaultLitePullConsumer litePullConsumer(String group) {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(group);
        prepare(consumer);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setAutoCommit(false);
        consumer.setPollTimeoutMillis(1_000);
        open.push(consumer::shutdown);
        return consumer;
    }

    /** Makes a push consumer a broadcast one. The enum's package differs between 4.9 and 5. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    public static void broadcast(DefaultMQPushConsumer consumer) throws Exception {
        Class type = consumer.getMessageModel().getClass();
        DefaultMQPushConsumer.class.getMethod("setMessageModel", type)
            .invoke(consumer, Enum.valueOf(type, "BROADCASTING"));
    }

    /** The queues of a topic that a started push consumer reads at this moment. */
    public static Set<Integer> owned(DefaultMQPushConsumer consumer, String topic) {
        Set<Integer> queues = new TreeSet<>();
        for (MessageQueue queue : consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl()
            .getProcessQueueTable().keySet()) {
            if (queue.getTopic().equals(topic)) {
                queues.add(queue.getQueueId());
            }
        }
        return queues;
    }

    /** Single requests; opened once. */
    public Raw raw() {
        if (raw == null) {
            raw = new Raw(nameServer);
            open.push(raw::close);
        }
        return raw;
    }

    /** Points a client at the broker, on the loopback, as a client process of its own. */
    public void prepare(ClientConfig client) {
        client.setNamesrvAddr(nameServer);
        client.setClientIP("127.0.0.1");
        client.setInstanceName(run + "-" + ++clients);
        client.setHeartbeatBrokerInterval(5_000);
    }

    /** Sends a JSON body to the HTTP front; anything but success fails the program. */
    private void put(String path, String json) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(http + path))
            .header("content-type", "application/json")
            .PUT(HttpRequest.BodyPublishers.ofString(json)).build();
        HttpResponse<String> response = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
            .send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new Check.Failure("PUT " + path + " was answered " + response.statusCode() + ": "
                + response.body());
        }
    }

    private static int writable(DefaultMQProducer producer, String topic) {
        try {
            return producer.fetchPublishMessageQueues(topic).size();
        } catch (Exception notYet) {
            return 0;
        }
    }

    @Override
    public void close() {
        while (!open.isEmpty()) {
            open.pop().run();
        }
    }
}

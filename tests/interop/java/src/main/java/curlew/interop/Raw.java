package curlew.interop;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyRemotingClient;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Single requests through the client's own transport, for what its API hides or renames. */
public final class Raw implements AutoCloseable {
    public static final int PULL_MESSAGE = 11;
    public static final int UPDATE_AND_CREATE_TOPIC = 17;
    public static final int GET_BROKER_CLUSTER_INFO = 106;
    private static final long TIMEOUT_MS = 5_000;
    /** Both spellings of the table: the integer key quoted and bare. */
    private static final Pattern MASTER = Pattern.compile("\\{\"?0\"?:\"([^\"]+)\"");

    private final NettyRemotingClient client = new NettyRemotingClient(new NettyClientConfig());
    private final String nameServer;

    Raw(String nameServer) {
        this.nameServer = nameServer;
        client.start();
    }

    /** Asks one address, and fails unless the answer's code is one of those given. */
    public RemotingCommand ask(String address, int code, Map<String, String> fields, int... good)
        throws Exception {
        RemotingCommand request = RemotingCommand.createRequestCommand(code, null);
        fields.forEach(request::addExtField);
        RemotingCommand response = client.invokeSync(address, request, TIMEOUT_MS);
        for (int each : good) {
            if (response.getCode() == each) {
                return response;
            }
        }
        throw new Check.Failure("request " + code + " was answered " + response.getCode() + ": "
            + response.getRemark());
    }

    /** The address of the master, as the name server has it. */
    public String broker() throws Exception {
        RemotingCommand answer = ask(nameServer, GET_BROKER_CLUSTER_INFO, Map.of(), 0);
        String body = new String(answer.getBody(), "UTF-8");
        Matcher matcher = MASTER.matcher(body);
        if (!matcher.find()) {
            throw new Check.Failure("the cluster has no master: " + body);
        }
        return matcher.group(1);
    }

    /** Creates a topic the way every administration tool does. */
    public void createTopic(String topic, int queues) throws Exception {
        ask(broker(), UPDATE_AND_CREATE_TOPIC, Map.of("topic", topic, "defaultTopic", "TBW102",
            "readQueueNums", "" + queues, "writeQueueNums", "" + queues, "perm", "6",
            "topicFilterType", "SINGLE_TAG", "topicSysFlag", "0", "order", "false"), 0);
    }

    @Override
    public void close() {
        client.shutdown();
    }
}

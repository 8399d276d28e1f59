package curlew.interop;

import org.apache.rocketmq.common.MQVersion;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * The frame around every program: reads the arguments, holds the deadline, closes what was opened,
 * and ends with {@code OK name} and status 0, or {@code FAILED name} and status 1 (2: too late).
 */
public final class Program {
    private static final int STATUS_FAILED = 1;
    private static final int STATUS_LATE = 2;

    private Program() {
    }

    /** What a program does with the cluster it is given. */
    public interface Body {
        void run(Cluster cluster) throws Exception;
    }

    /** Runs the body; never returns. */
    public static void run(String name, int deadlineSeconds, String[] words, Body body) {
        endAfter(name, deadlineSeconds);
        int status = 0;
        try (Cluster cluster = new Cluster(new Arguments(words))) {
            System.out.println(name + ": client " + version() + ", headers "
                + RemotingCommand.getSerializeTypeConfigInThisServer() + ", name server "
                + cluster.nameServer);
            body.run(cluster);
        } catch (Throwable thrown) {
            status = STATUS_FAILED;
            System.out.println("FAILED " + name + ": " + thrown);
            if (!(thrown instanceof Check.Failure)) {
                thrown.printStackTrace(System.out);
            }
        }
        if (status == 0) {
            System.out.println("OK " + name);
        }
        System.out.flush();
        // Client threads are not all daemons, and a stuck one must not outlive the verdict.
        Runtime.getRuntime().halt(status);
    }

    private static String version() {
        return MQVersion.getVersionDesc(MQVersion.CURRENT_VERSION);
    }

    private static void endAfter(String name, int seconds) {
        Thread watchdog = new Thread(() -> {
            try {
                Thread.sleep(seconds * 1000L);
            } catch (InterruptedException interrupted) {
                return;
            }
            System.out.println("FAILED " + name + ": not finished within " + seconds + " s");
            System.out.flush();
            Runtime.getRuntime().halt(STATUS_LATE);
        }, "deadline");
        watchdog.setDaemon(true);
        watchdog.start();
    }
}

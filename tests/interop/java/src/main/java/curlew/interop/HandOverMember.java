package curlew.interop;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A member in a process of its own, to be killed, seen from the process that starts it. */
final class HandOverMember implements AutoCloseable {
    private static final int START_SECONDS_MAX = 30;
    private static final String JOINING = "joining ";
    private static final String TAKEN = "taken ";

    /** When it was about to join, and as whom. */
    private record Joining(String clientId, long atNs) {
    }

    private final Process process;
    private final CompletableFuture<Joining> joining = new CompletableFuture<>();

    HandOverMember(Cluster cluster, boolean ordered, HandOverLedger ledger) throws IOException {
        process = new ProcessBuilder(words(cluster, ordered)).redirectErrorStream(true).start();
        Thread reader = new Thread(() -> read(ledger), "member");
        reader.setDaemon(true);
        reader.start();
    }

    /** Said by the member itself, once. */
    static synchronized void tellJoining(String clientId) {
        System.out.println(JOINING + clientId);
        System.out.flush();
    }

    /** Said by the member itself, before the message counts as consumed. */
    static synchronized void tell(int queue, int number) {
        System.out.println(TAKEN + queue + " " + number);
        System.out.flush();
    }

    String clientId() throws Exception {
        return joining.get(START_SECONDS_MAX, TimeUnit.SECONDS).clientId;
    }

    long joiningNs() throws Exception {
        return joining.get(START_SECONDS_MAX, TimeUnit.SECONDS).atNs;
    }

    /** SIGKILL. By its handle: what it has said stays readable, unlike after Process' own. */
    void kill() {
        process.toHandle().destroyForcibly();
    }

    @Override
    public void close() {
        kill();
    }

    private void read(HandOverLedger ledger) {
        try (BufferedReader lines = new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(JOINING)) {
                    joining.complete(new Joining(line.substring(JOINING.length()),
                        System.nanoTime()));
                } else if (line.startsWith(TAKEN)) {
                    String[] parts = line.split(" ");
                    ledger.take("c", Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
                } else {
                    System.out.println("  member: " + line);
                }
            }
        } catch (IOException thrown) {
            System.out.println("  member: " + thrown);
        }
        joining.completeExceptionally(new Check.Failure("the member ended before it joined"));
    }

    /** This program once more, as a member, with its logs where those of this one are looked at. */
    private static List<String> words(Cluster cluster, boolean ordered) {
        List<String> words = new ArrayList<>(List.of(
            ProcessHandle.current().info().command().orElse("java"), "-Xmx256m",
            "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Duser.home=" + System.getProperty("user.home") + File.separator + "logs"
                + File.separator + "member",
            "-cp", System.getProperty("java.class.path"), HandOver.class.getName()));
        words.addAll(List.of("--member", "c", "--ordered", ordered ? "yes" : "no",
            "--namesrv", cluster.nameServer, "--run", cluster.run()));
        return words;
    }
}

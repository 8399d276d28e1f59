package curlew.interop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Who took which message when, and what was sent at all. */
final class HandOverLedger {
    /** So long nobody else may have taken anything before queues count as handed over. */
    private static final long QUIET_NS = 1_000_000_000L;

    private record Taken(String member, int queue, long atNs) {
    }

    private final List<Taken> taken = new ArrayList<>();
    private final Set<String> sent = new HashSet<>();
    private final Set<String> seen = new HashSet<>();

    synchronized void send(int queue, int number) {
        sent.add(queue + "/" + number);
    }

    synchronized void take(String member, int queue, int number) {
        taken.add(new Taken(member, queue, System.nanoTime()));
        seen.add(queue + "/" + number);
    }

    synchronized int sent() {
        return sent.size();
    }

    synchronized int repeats() {
        return taken.size() - seen.size();
    }

    synchronized Collection<String> missing() {
        Set<String> missing = new TreeSet<>(sent);
        missing.removeAll(seen);
        return missing;
    }

    /** Whether every queue's owner takes from it since the change, and for a while nobody else. */
    synchronized boolean isSettled(long changedNs, Map<Integer, String> owners) {
        long settledNs = settledNs(changedNs, owners);
        return settledNs != Long.MAX_VALUE && System.nanoTime() - settledNs > QUIET_NS;
    }

    /**
     * When the last queue went over: its new owner had taken its first message, its old one its
     * last. {@link Long#MAX_VALUE} as long as some queue's owner has taken none.
     */
    synchronized long settledNs(long changedNs, Map<Integer, String> owners) {
        Map<Integer, Long> begunNs = new TreeMap<>();
        long settledNs = changedNs;
        for (Taken each : taken) {
            if (each.atNs < changedNs) {
                continue;
            }
            if (!each.member.equals(owners.get(each.queue))) {
                settledNs = Math.max(settledNs, each.atNs);
            } else if (begunNs.putIfAbsent(each.queue, each.atNs) == null
                && hadAnother(each, changedNs)) {
                settledNs = Math.max(settledNs, each.atNs);
            }
        }
        return begunNs.keySet().containsAll(owners.keySet()) ? settledNs : Long.MAX_VALUE;
    }

    /** Whether a queue was last taken from by another member than this, before a change. */
    private boolean hadAnother(Taken begun, long changedNs) {
        String last = begun.member;
        for (Taken each : taken) {
            if (each.queue == begun.queue && each.atNs < changedNs) {
                last = each.member;
            }
        }
        return !last.equals(begun.member);
    }

    /** For a failure: who took how often from which queue since. */
    synchronized Map<String, Integer> takersSince(long changedNs) {
        Map<String, Integer> takers = new TreeMap<>();
        for (Taken each : taken) {
            if (each.atNs >= changedNs) {
                takers.merge(each.queue + ":" + each.member, 1, Integer::sum);
            }
        }
        return takers;
    }
}

package curlew.interop;

import java.util.Objects;
import java.util.concurrent.Callable;

/** What a program asserts: a claim that holds is printed, the first that does not ends the run. */
public final class Check {
    private static final long POLL_MS = 50;

    private Check() {
    }

    /** Thrown by a claim that does not hold. */
    public static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Failure(String message) {
            super(message);
        }
    }

    /** Says what holds, or fails with it. */
    public static void that(boolean holds, String claim) {
        if (!holds) {
            throw new Failure("does not hold: " + claim);
        }
        System.out.println("  holds: " + claim);
    }

    /** Like {@link #that} for two values, both of which are shown when they differ. */
    public static void equal(Object expected, Object found, String claim) {
        if (!Objects.equals(expected, found)) {
            throw new Failure("does not hold: " + claim + " (expected " + expected + ", found "
                + found + ")");
        }
        System.out.println("  holds: " + claim + " = " + found);
    }

    /** Waits until the condition is true; fails with the claim, and what was last seen. */
    public static void eventually(long secondsMax, String claim, Callable<Boolean> condition,
        Callable<Object> seen) throws Exception {
        long startedNs = System.nanoTime();
        while (!condition.call()) {
            if (System.nanoTime() - startedNs > secondsMax * 1_000_000_000L) {
                throw new Failure("did not hold within " + secondsMax + " s: " + claim
                    + " (last seen: " + seen.call() + ")");
            }
            Thread.sleep(POLL_MS);
        }
        long tookMs = (System.nanoTime() - startedNs) / 1_000_000;
        System.out.println("  holds: " + claim + " (after " + tookMs + " ms)");
    }
}

package curlew.interop;

import java.util.HashMap;
import java.util.Map;

/** The command line: pairs of {@code --name value}, nothing else. */
public final class Arguments {
    private final Map<String, String> values = new HashMap<>();

    Arguments(String[] words) {
        if (words.length % 2 != 0) {
            throw new IllegalArgumentException(
                "Cannot read arguments: pairs of --name value expected");
        }
        for (int i = 0; i < words.length; i += 2) {
            if (!words[i].startsWith("--")) {
                throw new IllegalArgumentException(
                    "Cannot read arguments: a name begins with --, found " + words[i]);
            }
            values.put(words[i].substring(2), words[i + 1]);
        }
    }

    /** The value of an argument that must be given. */
    public String required(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("Cannot start: --" + name + " is missing");
        }
        return value;
    }

    /** The value of an argument, or what stands in for it. */
    public String or(String name, String absent) {
        return values.getOrDefault(name, absent);
    }
}

/** Which Curlew this is: the version in `deno.json`, which the build carries along. @module */
import manifest from "../../deno.json" with { type: "json" };

/** The version of this program. */
export const version: string = manifest.version;

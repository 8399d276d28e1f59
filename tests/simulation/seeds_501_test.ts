/** Seeds 501 to 750 of the gate. @module */
import { testBatch } from "./batch.ts";

testBatch(501, 250);

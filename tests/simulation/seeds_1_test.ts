/** Seeds 1 to 250 of the gate. @module */
import { testBatch } from "./batch.ts";

testBatch(1, 250);

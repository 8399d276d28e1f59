/** Seeds 251 to 500 of the gate. @module */
import { testBatch } from "./batch.ts";

testBatch(251, 250);

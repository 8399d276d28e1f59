/** Seeds 751 to 1000 of the gate. @module */
import { testBatch } from "./batch.ts";

testBatch(751, 250);

import type { Suite } from "../suite.ts";
import { databaseBatchCase, databaseGetCase, databaseSetCase } from "./database.ts";
import { decodeCase, getCase, peekCase } from "./hits.ts";
import { httpCase } from "./http.ts";
import { largeMemoryCase, largeTailCase } from "./large.ts";

export const coreSuite: Suite = {
  name: "core",
  about: "L0, L1, L3 and HTTP beside other caches, hand-written SQL and a bare express route",
  cases: [
    peekCase,
    getCase,
    decodeCase,
    databaseSetCase,
    databaseGetCase,
    databaseBatchCase,
    largeMemoryCase,
    largeTailCase,
    httpCase,
  ],
};

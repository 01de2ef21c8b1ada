import * as keyvSuite from "@keyv/test-suite";
import type { MemoryManager } from "@cherry-ai/memory";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import { Keyv } from "keyv";
import { Keyv as Keyv6 } from "keyv-6";
import type { TestFunction } from "vitest";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KeyvStore } from "../src/keyv.ts";
import { openMemory } from "./support.ts";

/** What the suite uses of a test runner. It names an older vitest in its types, and asks no more. */
const runner = { it, expect, beforeEach, afterEach };

/** The suite is of Keyv 5. Where Keyv 6 itself answers otherwise, over any store, a case must fail. */
const CHANGED_IN_KEYV_6 = new Set([".deleteMany([keys]) with nonexistent keys resolves to false"]);
const runnerOfKeyv6 = {
  ...runner,
  it: (name: string, body: TestFunction) =>
    (CHANGED_IN_KEYV_6.has(name) ? it.fails : it)(name, body),
};

type Cases = (test: object, keyv: unknown, store: () => KeyvStore) => void;

/** As methods, because their parameters are typed narrower than what they use. */
interface Suite {
  default(...given: Parameters<Cases>): void;
  keyvIteratorTests(...given: Parameters<Cases>): void;
}

const suite: Suite = keyvSuite;

function register(databaseUrl: () => Promise<string | undefined>): void {
  let memory: MemoryManager;
  beforeAll(async () => {
    memory = await openMemory(await databaseUrl());
  });
  afterAll(() => memory?.close());
  const store = (): KeyvStore => new KeyvStore(memory);

  describe("Keyv 5", () => {
    describe("api, values, namespaces", () => suite.default(runner, Keyv, store));
    describe("iterator", () => suite.keyvIteratorTests(runner, Keyv, store));
  });

  describe("Keyv 6", () => {
    describe("api, values, namespaces", () => suite.default(runnerOfKeyv6, Keyv6, store));
    describe("iterator", () => suite.keyvIteratorTests(runnerOfKeyv6, Keyv6, store));
  });
}

describe("@keyv/test-suite, embedded", () => {
  register(async () => undefined);
});

describeWithPostgres("@keyv/test-suite, PostgreSQL", () => {
  register(testDatabase);
});

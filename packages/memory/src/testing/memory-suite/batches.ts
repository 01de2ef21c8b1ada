import assert from "node:assert/strict";
import { BatchAborted } from "../../model/errors.ts";
import { expectCode } from "../expect-code.ts";
import type { SuiteCase } from "../suite.ts";
import { memoryCase, untyped } from "./fixture.ts";
import type { MemoryMaker } from "./fixture.ts";

/** batchOperations and getMany. */
export function batchCases(maker: MemoryMaker): SuiteCase[] {
  return [
    memoryCase(maker, "results come in the order of the operations", async ({ memory }) => {
      await memory.set("old", "o");
      const results = await memory.batchOperations([
        { type: "get", key: "old" },
        { type: "set", key: "new", value: 1 },
        { type: "exists", key: "old" },
        { type: "exists", key: "none" },
        { type: "get", key: "none" },
        { type: "delete", key: "none" },
        { type: "touch", key: "old", ttlSeconds: 500 },
      ]);
      assert.deepEqual(
        results.map(({ type, key, success, found }) => [type, key, success, found]),
        [
          ["get", "old", true, true],
          ["set", "new", true, true],
          ["exists", "old", true, true],
          ["exists", "none", true, false],
          ["get", "none", true, false],
          ["delete", "none", true, false],
          ["touch", "old", true, true],
        ],
      );
      assert.equal(results[0]?.value, "o");
      assert.deepEqual([results[2]?.value, results[3]?.value], [true, false]);
      assert.equal(results[5]?.existed, false);
      assert.ok(results.every(({ latencyMs }) => latencyMs >= 0));
      assert.equal(await memory.get("new"), 1);
    }),
    memoryCase(maker, "operations on one key apply in the order given", async ({ memory }) => {
      const results = await memory.batchOperations([
        { type: "get", key: "k" },
        { type: "set", key: "k", value: 1 },
        { type: "get", key: "k" },
        { type: "set", key: "k", value: 2, ifVersion: null },
        { type: "delete", key: "k" },
        { type: "get", key: "k" },
        { type: "set", key: "k", value: 3, ifVersion: null },
        { type: "touch", key: "k", ttlSeconds: 500 },
        { type: "get", key: "k" },
      ]);
      assert.deepEqual(
        results.map(({ success, found, value, existed, error }) => [
          success,
          found,
          value ?? existed ?? error?.code,
        ]),
        [
          [true, false, undefined],
          [true, true, undefined],
          [true, true, 1],
          [false, false, "VERSION_CONFLICT"],
          [true, true, true],
          [true, false, undefined],
          [true, true, undefined],
          [true, true, undefined],
          [true, true, 3],
        ],
      );
      assert.equal(await memory.get("k"), 3);
      assert.equal(await memory.get("k", { consistency: "latest" }), 3);
      assert.ok(((await memory.getItem("k"))?.ttlSeconds ?? 0) > 0);
    }),
    memoryCase(maker, "one bad operation fails alone, with its code", async ({ memory }) => {
      const results = await memory.batchOperations([
        { type: "set", key: "a", value: 1 },
        { type: "set", key: "", value: 1 },
        { type: "set", key: "b", value: () => 1 },
        { type: "set", key: "c", value: 1, ttlSeconds: -1 },
        { type: "touch", key: "none" },
        untyped('{"type":"explode","key":"d"}'),
        { type: "set", key: "e", value: 5 },
      ]);
      assert.deepEqual(
        results.map(({ success, error }) => error?.code ?? success),
        [
          true,
          "INVALID_KEY",
          "INVALID_VALUE",
          "INVALID_TTL",
          "NOT_FOUND",
          "INVALID_ARGUMENT",
          true,
        ],
      );
      assert.deepEqual(await memory.getMany(["a", "b", "c", "d", "e"]), [
        1,
        undefined,
        undefined,
        undefined,
        5,
      ]);
    }),
    memoryCase(maker, "an atomic batch is all", async ({ memory }) => {
      const { version } = await memory.set("b", 1);
      const results = await memory.batchOperations(
        [
          { type: "set", key: "a", value: 1, ifVersion: null },
          { type: "set", key: "b", value: 2, ifVersion: version },
          { type: "delete", key: "none" },
          { type: "get", key: "a" },
        ],
        { atomic: true },
      );
      assert.ok(results.every(({ success }) => success));
      assert.deepEqual(await memory.getMany(["a", "b"]), [1, 2]);
    }),
    memoryCase(maker, "or nothing, and says which operation it was", async ({ memory }) => {
      await memory.set("b", 1);
      await memory.get("b");
      const failing = [
        { type: "set", key: "b", value: 9, ifVersion: null } as const,
        { type: "delete", key: "b", ifVersion: "1" } as const,
        { type: "touch", key: "none", ifVersion: "1" } as const,
        { type: "touch", key: "none" } as const,
      ];
      for (const operation of failing) {
        const error = await expectCode(
          "BATCH_ABORTED",
          () =>
            memory.batchOperations(
              [{ type: "set", key: "a", value: 1 }, { type: "set", key: "b", value: 2 }, operation],
              { atomic: true },
            ),
          JSON.stringify(operation),
        );
        assert.ok(error instanceof BatchAborted);
        assert.equal(error.index, 2, JSON.stringify(operation));
        for (const consistency of ["any", "latest"] as const)
          assert.deepEqual(await memory.getMany(["a", "b"], { consistency }), [undefined, 1]);
      }
    }),
    memoryCase(maker, "bad input in an atomic batch changes nothing", async ({ memory }) => {
      const results = await Promise.allSettled([
        memory.batchOperations(
          [
            { type: "set", key: "a", value: 1 },
            { type: "set", key: "", value: 1 },
          ],
          { atomic: true },
        ),
      ]);
      assert.equal(results[0]?.status, "rejected");
      assert.equal(await memory.exists("a", { consistency: "latest" }), false);
    }),
    memoryCase(maker, "getMany keeps order, repeats and absences", async ({ memory }) => {
      await memory.set("a", 1);
      await memory.set("b", 2);
      for (const consistency of ["any", "latest", "any"] as const)
        assert.deepEqual(await memory.getMany(["b", "x", "a", "b"], { consistency }), [
          2,
          undefined,
          1,
          2,
        ]);
      assert.deepEqual(await memory.getMany([]), []);
    }),
    memoryCase(maker, "willNeed brings items near and changes nothing", async ({ memory }) => {
      const { version } = await memory.set("k", 1, { tierHint: "l3" });
      await memory.willNeed(["k", "absent"]);
      assert.equal((await memory.getItem("k"))?.version, version);
      assert.equal(await memory.exists("absent"), false);
    }),
  ];
}

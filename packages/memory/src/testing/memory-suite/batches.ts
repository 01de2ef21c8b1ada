import assert from "node:assert/strict";
import type { BatchOperation } from "../../manager/memory.ts";
import { BatchAborted } from "../../model/errors.ts";
import type { ErrorCode } from "../../model/errors.ts";
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
    memoryCase(maker, "an operation that cannot be done fails alone", async ({ memory }) => {
      await memory.set("b", 1);
      const results = await memory.batchOperations([
        { type: "set", key: "a", value: 1 },
        { type: "set", key: "b", value: 2, ifVersion: null },
        { type: "touch", key: "none" },
        { type: "delete", key: "b", ifVersion: "1" },
        { type: "set", key: "e", value: 5 },
      ]);
      assert.deepEqual(
        results.map(({ success, error }) => error?.code ?? success),
        [true, "VERSION_CONFLICT", "NOT_FOUND", "VERSION_CONFLICT", true],
      );
      assert.deepEqual(await memory.getMany(["a", "b", "e"]), [1, 1, 5]);
    }),
    memoryCase(
      maker,
      "bad input refuses the whole batch and names the operation",
      async ({ memory }) => {
        const good = { type: "set", key: "a", value: 1 } as const;
        const table: [ErrorCode, BatchOperation][] = [
          ["INVALID_KEY", { type: "set", key: "", value: 1 }],
          ["INVALID_VALUE", { type: "set", key: "b", value: () => 1 }],
          ["INVALID_TTL", { type: "set", key: "b", value: 1, ttlSeconds: -1 }],
          ["INVALID_TTL", { type: "touch", key: "b", ttlSeconds: 0 }],
          ["INVALID_ARGUMENT", { type: "delete", key: "b", ifVersion: "x" }],
          ["INVALID_ARGUMENT", untyped('{"type":"explode","key":"b"}')],
          ["INVALID_ARGUMENT", untyped("null")],
        ];
        for (const [code, operation] of table) {
          for (const atomic of [false, true]) {
            const error = await expectCode(code, () =>
              memory.batchOperations([good, operation], { atomic }),
            );
            assert.match(error.field ?? "", /^operations\[1\]/);
          }
        }
        assert.equal(await memory.exists("a", { consistency: "latest" }), false);
      },
    ),
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

import { expect, test } from "vitest";
import { expectCode } from "./expect-code.ts";
import { ManualClock } from "./manual-clock.ts";
import { ReferenceModel } from "./reference-model.ts";

test("an item dies at its instant and is absent to everything", async () => {
  const clock = new ManualClock();
  const model = new ReferenceModel(clock);
  const version = model.set("", "k", 1, { ttlSeconds: 1.5 });
  clock.jump(1_499);
  expect(model.get("", "k")?.value).toBe(1);
  clock.jump(1);
  expect(model.get("", "k")).toBeUndefined();
  expect(model.items("", true)).toEqual([]);
  await expectCode("NOT_FOUND", () => model.touch("", "k", 5));
  await expectCode("VERSION_CONFLICT", () => model.set("", "k", 2, { condition: version }));
  expect(model.delete("", "k").existed).toBe(false);
  expect(model.set("", "k", 2, { condition: null })).toBeGreaterThan(version);
});

test("an atomic batch that fails leaves everything as it was", async () => {
  const model = new ReferenceModel(new ManualClock());
  model.set("", "a", 1);
  const operations = [
    { type: "delete", key: "a" },
    { type: "set", key: "b", value: 2 },
    { type: "touch", key: "none" },
  ] as const;
  const error = await expectCode("BATCH_ABORTED", () =>
    model.batch("", operations, { atomic: true }),
  );
  expect(error).toMatchObject({ index: 2 });
  expect(model.items("", true).map(({ key }) => key)).toEqual(["a"]);
  const results = model.batch("", operations, { atomic: false });
  expect(results.map((result) => ("error" in result ? result.error.code : result.found))).toEqual([
    true,
    true,
    "NOT_FOUND",
  ]);
  expect(model.items("", true).map(({ key }) => key)).toEqual(["b"]);
});

test("namespaces are exact by segment, and order is by bytes", () => {
  const model = new ReferenceModel(new ManualClock());
  for (const namespace of ["u/1", "u/10", "u/1/x", ""])
    for (const key of ["\u{1f352}", "\uffff", "a"]) model.set(namespace, key, null);
  expect(model.items("u/1", false).map(({ key }) => key)).toEqual(["a", "\uffff", "\u{1f352}"]);
  expect(model.items("u/1", true)).toHaveLength(6);
  expect(model.forget("u/1", { pattern: "a", below: true })).toBe(2);
  model.clear("u/1", true);
  expect(model.items("", true)).toHaveLength(6);
});

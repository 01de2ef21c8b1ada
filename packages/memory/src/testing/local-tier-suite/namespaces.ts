import assert from "node:assert/strict";
import type { SuiteCase } from "../suite.ts";
import { localCase } from "./fixture.ts";
import type { LocalRecord, LocalTierMaker } from "./fixture.ts";

/** Names that have caught somebody out: prototype members, separators, prefixes of each other. */
export const ODD_KEYS: readonly string[] = [
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "toString",
  "a/b",
  "a:b",
  "%",
  "_",
  "\\",
  "'; drop table items; --",
  " ",
  "\n",
  "0",
  "-1",
  "null",
  "e\u0301",
  "\u00e9",
  "\u{1f352}",
  "\uffff",
  "k".repeat(1024),
];

/** Addressing is exact: neither keys nor namespaces are ever mistaken for others. */
export function namespaceCases<R extends LocalRecord>(maker: LocalTierMaker<R>): SuiteCase[] {
  return [
    localCase(maker, "odd keys are ordinary", ({ tier, store, find }) => {
      for (const key of ODD_KEYS) assert.equal(find(key), undefined, `before: ${key}`);
      for (const [index, key] of ODD_KEYS.entries()) store({ key, version: index + 1 });
      for (const [index, key] of ODD_KEYS.entries()) assert.equal(find(key), index + 1, key);
      assert.equal(tier.usage().items, ODD_KEYS.length);
      for (const key of ODD_KEYS) assert.equal(tier.drop("", key, Number.POSITIVE_INFINITY), true);
      assert.deepEqual([tier.usage().items, tier.usage().bytes], [0, 0]);
    }),
    localCase(maker, "odd namespaces are ordinary", ({ tier, store, find }) => {
      const names = ODD_KEYS.filter((name) => !name.includes("/") && name.length < 512);
      for (const [index, namespace] of names.entries())
        store({ key: "k", namespace, version: index + 1 });
      for (const [index, namespace] of names.entries())
        assert.equal(find("k", namespace), index + 1, namespace);
      assert.equal(find("k"), undefined);
      for (const namespace of names)
        assert.equal(tier.dropNamespace(namespace, false), 1, namespace);
      assert.equal(tier.usage().items, 0);
    }),
    localCase(
      maker,
      "a slash moved between namespace and key is another item",
      ({ store, find }) => {
        store({ namespace: "a", key: "b/c", version: 1 });
        store({ namespace: "a/b", key: "c", version: 2 });
        store({ namespace: "", key: "a/b/c", version: 3 });
        assert.deepEqual([find("b/c", "a"), find("c", "a/b"), find("a/b/c")], [1, 2, 3]);
      },
    ),
    localCase(maker, "dropping a namespace is exact by segment", ({ tier, store, find }) => {
      for (const namespace of ["", "users", "users/1", "users/10", "users/1/x", "users/1/x/y"])
        store({ key: "k", namespace });
      assert.equal(tier.dropNamespace("users/1", false), 1);
      assert.equal(find("k", "users/1"), undefined);
      assert.equal(find("k", "users/1/x"), 1);
      assert.equal(tier.dropNamespace("users/1", true), 2);
      assert.equal(find("k", "users/1/x/y"), undefined);
      assert.equal(find("k", "users/10"), 1);
      assert.equal(find("k", "users"), 1);
    }),
    localCase(maker, "the root alone, and the root with all below it", ({ tier, store, find }) => {
      for (const namespace of ["", "a", "a/b"]) {
        store({ key: "k", namespace });
        store({ key: "l", namespace });
      }
      assert.equal(tier.dropNamespace("", false), 2);
      assert.equal(find("k"), undefined);
      assert.equal(find("k", "a"), 1);
      assert.equal(tier.dropNamespace("", true), 4);
      assert.deepEqual([tier.usage().items, tier.usage().bytes], [0, 0]);
      assert.equal(tier.dropNamespace("never", true), 0);
    }),
  ];
}

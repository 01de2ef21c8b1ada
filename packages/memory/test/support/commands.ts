import fc from "fast-check";
import type { JsonObject, JsonValue, MemoryTier } from "../../src/model/item.ts";
import type { ModelSelection } from "../../src/testing/index.ts";
import { key, metadata, path, selection, tags, value } from "./arbitraries.ts";

/** Which version a condition names: the live one, one that is not, or "none must be there". */
export type Expectation = "live" | "stale" | "absent" | "present" | "any";

export interface SetFacts {
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  /** "past": over by the time that the next command runs. */
  readonly lifetime: "none" | "long" | "past";
  readonly tierHint: MemoryTier | undefined;
}

export type KeyCommand = { readonly key: string } & (
  | ({ readonly type: "set"; readonly value: JsonValue; readonly expect: Expectation } & SetFacts)
  | { readonly type: "get" }
  | { readonly type: "exists" }
  | { readonly type: "delete"; readonly expect: Expectation }
  | { readonly type: "touch"; readonly expect: Expectation; readonly lifetime: "none" | "long" }
);

export type Command = { readonly path: string } & (
  | { readonly kind: "key"; readonly command: KeyCommand }
  | { readonly kind: "batch"; readonly commands: readonly KeyCommand[]; readonly atomic: boolean }
  | { readonly kind: "getMany"; readonly keys: readonly string[] }
  | {
      readonly kind: "search" | "forget";
      readonly selection: ModelSelection;
      readonly limit: number;
    }
  | { readonly kind: "clear"; readonly below: boolean }
  | { readonly kind: "export"; readonly below: boolean }
  | { readonly kind: "update"; readonly key: string; readonly value: JsonValue }
);

const expectation: fc.Arbitrary<Expectation> = fc.oneof(
  { weight: 5, arbitrary: fc.constant("any" as const) },
  { weight: 2, arbitrary: fc.constant("live" as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("stale" as const, "absent" as const, "present" as const),
  },
);
/** A delete or touch can only ask for a version. */
const versionExpectation: fc.Arbitrary<Expectation> = fc.oneof(
  { weight: 4, arbitrary: fc.constant("any" as const) },
  { weight: 2, arbitrary: fc.constant("live" as const) },
  { weight: 1, arbitrary: fc.constant("stale" as const) },
);

const tierHint: fc.Arbitrary<MemoryTier | undefined> = fc.constantFrom(undefined, "l0", "l1", "l3");

export const keyCommand: fc.Arbitrary<KeyCommand> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("set" as const),
      key,
      value,
      metadata,
      tags,
      expect: expectation,
      lifetime: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom("none" as const, "long" as const) },
        { weight: 1, arbitrary: fc.constant("past" as const) },
      ),
      tierHint,
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("get" as const), key }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("exists" as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("delete" as const), key, expect: versionExpectation }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("touch" as const),
      key,
      expect: versionExpectation,
      lifetime: fc.constantFrom("none" as const, "long" as const),
    }),
  },
);

const limit = fc.constantFrom(1, 2, 3, 50);

export const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant("key" as const), path, command: keyCommand }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("batch" as const),
      path,
      commands: fc.array(keyCommand, { maxLength: 6 }),
      atomic: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("getMany" as const),
      path,
      keys: fc.array(key, { maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("search" as const), path, selection, limit }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("forget" as const),
      path,
      selection: selection.filter(
        (one) => one.pattern !== undefined || one.metadataFilter !== undefined,
      ),
      limit,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("clear" as const), path, below: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("export" as const), path, below: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("update" as const), path, key, value }) },
);

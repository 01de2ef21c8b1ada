import { expect } from "vitest";
import type { BatchOperation, Memory } from "../../src/manager/memory.ts";
import { systemClock } from "../../src/model/clock.ts";
import { isMemoryError } from "../../src/model/errors.ts";
import type { JsonValue } from "../../src/model/item.ts";
import { ReferenceModel } from "../../src/testing/index.ts";
import type {
  ModelCondition,
  ModelItem,
  ModelOperation,
  ModelResult,
  ModelSetOptions,
} from "../../src/testing/index.ts";
import { KEYS, PATHS } from "./arbitraries.ts";
import type { Command, Expectation, KeyCommand } from "./commands.ts";

const LONG_SECONDS = 5_000;
const PAST_SECONDS = 0.001;
/** After so long a lifetime of a millisecond is over, by any clock of this machine. */
const PAST_WAIT_MS = 4;
/** Versions start at 1, so this one never was. */
const NEVER_VERSION = 0;

/** A memory and the reference model led through the same commands and compared at each. */
export class Twin {
  readonly #memory: Memory;
  readonly #model = new ReferenceModel(systemClock);
  /** The real version for each of the model's. */
  readonly #versions = new Map<number, string>();
  readonly #newest = new Map<string, { readonly version: number; readonly command: number }>();
  #commands = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  async run(command: Command): Promise<void> {
    const memory = this.#at(command.path);
    this.#commands += 1;
    switch (command.kind) {
      case "key":
        return this.#batch(command.path, [command.command], "single");
      case "batch":
        return this.#batch(command.path, command.commands, command.atomic ? "atomic" : "batch");
      case "getMany": {
        const expected = command.keys.map((key) => this.#model.get(command.path, key)?.value);
        expect(await memory.getMany(command.keys)).toEqual(expected);
        return;
      }
      case "update": {
        const before = this.#model.get(command.path, command.key);
        const receipt = await memory.update(command.key, (current) => {
          expect(current).toEqual(before?.value);
          return command.value;
        });
        // An update changes the value alone.
        const kept = before === undefined ? {} : keptBy(before);
        this.#learn(command.path, command.key, {
          model: this.#model.set(command.path, command.key, command.value, kept),
          real: receipt?.version,
        });
        return;
      }
      case "search":
        return this.#search(command);
      case "forget": {
        const receipt = await memory.forget(command.selection);
        expect(receipt.forgotten).toBe(this.#model.forget(command.path, command.selection));
        return;
      }
      case "clear":
        await memory.clear({ below: command.below });
        this.#model.clear(command.path, command.below);
        return;
      case "export": {
        const lines: JsonValue[] = [];
        for await (const line of memory.exportItems({ below: command.below }))
          lines.push([line.key, line.value]);
        const items = this.#model.items(command.path, command.below);
        expect(lines).toEqual(items.map((item) => [item.key, item.value]));
      }
    }
  }

  /** Every key, read in every way. */
  async compareAll(): Promise<void> {
    for (const path of PATHS) {
      const memory = this.#at(path);
      for (const key of KEYS) {
        const expected = this.#model.get(path, key);
        expect(await memory.get(key)).toEqual(expected?.value);
        for (const consistency of ["any", "latest"] as const) {
          const item = await memory.getItem(key, { consistency });
          expect(item?.value).toEqual(expected?.value);
          expect(item?.metadata).toEqual(expected?.metadata);
          expect(item?.tags).toEqual(expected?.tags);
          if (expected !== undefined)
            expect(item?.version).toBe(this.#versions.get(expected.version));
        }
        const peeked = memory.peek(key);
        if (peeked !== undefined) expect(peeked).toEqual(expected?.value);
      }
    }
  }

  #at(path: string): Memory {
    return path === "" ? this.#memory : this.#memory.namespace(path);
  }

  async #search(command: Extract<Command, { kind: "search" | "forget" }>): Promise<void> {
    const expected = this.#model.select(command.path, command.selection);
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#at(command.path).search({
        ...command.selection,
        limit: command.limit,
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(page.items.length).toBeLessThanOrEqual(command.limit);
      found.push(...page.items.map((item) => JSON.stringify([item.key, item.value])));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(found).toEqual(expected.map((item) => JSON.stringify([item.key, item.value])));
  }

  async #batch(
    path: string,
    commands: readonly KeyCommand[],
    mode: "single" | "batch" | "atomic",
  ): Promise<void> {
    // Conditions name versions of before the batch, as a caller would.
    const pairs = commands.map((command) => this.#translate(path, settled(command, mode)));
    const operations = pairs.map(({ operation }) => operation);
    const modelled = this.#tryModel(
      path,
      pairs.map(({ model }) => model),
      mode === "atomic",
    );
    const real = await this.#tryReal(path, operations, mode);
    if (modelled.aborted !== undefined || real.aborted !== undefined) {
      expect(real.aborted).toEqual(modelled.aborted);
    } else {
      expect(real.results.map(withoutVersion)).toEqual(
        modelled.results.map((result, index) => modelFacts(result, operations[index]?.type)),
      );
      for (const [index, command] of commands.entries())
        this.#learn(path, command.key, {
          model: versionOf(modelled.results[index]),
          real: real.results[index]?.version,
        });
    }
    if (mode === "single" && isBrief(commands[0])) await systemClock.sleep(PAST_WAIT_MS);
  }

  #tryModel(
    path: string,
    operations: readonly ModelOperation[],
    atomic: boolean,
  ): { readonly results: readonly ModelResult[]; readonly aborted?: Abortion } {
    try {
      return { results: this.#model.batch(path, operations, { atomic }) };
    } catch (error) {
      return { results: [], aborted: abortion(error) };
    }
  }

  async #tryReal(
    path: string,
    operations: readonly BatchOperation[],
    mode: "single" | "batch" | "atomic",
  ): Promise<{ readonly results: readonly RealFacts[]; readonly aborted?: Abortion }> {
    const memory = this.#at(path);
    const [only] = operations;
    if (mode === "single" && only !== undefined) return { results: [await single(memory, only)] };
    try {
      const results = await memory.batchOperations(operations, { atomic: mode === "atomic" });
      return {
        results: results.map(({ found, value, version, error, type }) => ({
          found,
          version,
          ...(type === "get" ? { value } : {}),
          ...(error === undefined ? {} : { code: error.code }),
        })),
      };
    } catch (error) {
      return { results: [], aborted: abortion(error) };
    }
  }

  #translate(
    path: string,
    command: KeyCommand,
  ): { readonly operation: BatchOperation; readonly model: ModelOperation } {
    const { key } = command;
    if (command.type === "get" || command.type === "exists") {
      const reading = { type: command.type, key };
      return { operation: reading, model: reading };
    }
    const { condition, ifVersion } = this.#condition(path, key, command.expect);
    const given = typeof ifVersion === "string" ? { ifVersion } : {};
    if (command.type === "delete") {
      const removal = { type: command.type, key };
      return { operation: { ...removal, ...given }, model: { ...removal, condition } };
    }
    const seconds = { none: undefined, long: LONG_SECONDS, past: PAST_SECONDS }[command.lifetime];
    const ttl = seconds === undefined ? {} : { ttlSeconds: seconds };
    if (command.type === "touch") {
      const touching = { type: command.type, key, ...ttl };
      return { operation: { ...touching, ...given }, model: { ...touching, condition } };
    }
    const { type, value, metadata, tags, tierHint } = command;
    const facts = { type, key, value, metadata, tags, ...ttl };
    return {
      operation: {
        ...facts,
        ...(tierHint === undefined ? {} : { tierHint }),
        ...(ifVersion === undefined ? {} : { ifVersion }),
      },
      model: { ...facts, condition },
    };
  }

  #condition(
    path: string,
    key: string,
    expectation: Expectation,
  ): { readonly condition: ModelCondition; readonly ifVersion: string | null | undefined } {
    const live = this.#model.get(path, key)?.version;
    const real = live === undefined ? undefined : this.#versions.get(live);
    if (expectation === "any") return { condition: undefined, ifVersion: undefined };
    if (expectation === "absent") return { condition: null, ifVersion: null };
    if (expectation === "present") return { condition: "*", ifVersion: "*" };
    if (expectation === "live" && live !== undefined && real !== undefined)
      return { condition: live, ifVersion: real };
    return { condition: NEVER_VERSION, ifVersion: String(NEVER_VERSION) };
  }

  #learn(
    path: string,
    key: string,
    version: { readonly model: number | undefined; readonly real: string | undefined },
  ): void {
    if (version.model === undefined || version.real === undefined) return;
    const known = this.#versions.get(version.model);
    if (known !== undefined) {
      expect(version.real).toBe(known);
      return;
    }
    this.#versions.set(version.model, version.real);
    const id = JSON.stringify([path, key]);
    const newest = this.#newest.get(id);
    // Operations of one batch on one key may be one commit, and then have one version.
    if (newest?.command === this.#commands && newest.version === Number(version.real)) return;
    expect(Number(version.real)).toBeGreaterThan(newest?.version ?? 0);
    this.#newest.set(id, { version: Number(version.real), command: this.#commands });
  }
}

function keptBy({ metadata, tags, expiresAtMs }: ModelItem): ModelSetOptions {
  return Number.isFinite(expiresAtMs)
    ? { metadata, tags, ttlSeconds: LONG_SECONDS }
    : { metadata, tags };
}

function isBrief(command: KeyCommand | undefined): boolean {
  return command?.type === "set" && command.lifetime === "past";
}

/** Within one batch nobody can say on which side of an instant an operation falls. */
function settled(command: KeyCommand, mode: "single" | "batch" | "atomic"): KeyCommand {
  if (command.type !== "set" || mode === "single" || !isBrief(command)) return command;
  return { ...command, lifetime: "none" };
}

interface RealFacts {
  readonly found: boolean;
  readonly value?: JsonValue | undefined;
  readonly version: string | undefined;
  readonly code?: string;
}

interface Abortion {
  readonly code: string;
  readonly index: unknown;
}

function abortion(error: unknown): Abortion {
  if (!isMemoryError(error)) throw error;
  return { code: error.code, index: Reflect.get(error, "index") };
}

/** The same operation by its own method. */
async function single(memory: Memory, operation: BatchOperation): Promise<RealFacts> {
  const { key, type } = operation;
  try {
    if (type === "get") {
      const item = await memory.getItem(key);
      return { found: item !== undefined, value: item?.value, version: item?.version };
    }
    if (type === "exists") return { found: await memory.exists(key), version: undefined };
    if (type === "delete") {
      const { existed, version } = await memory.delete(key, optionsOf(operation));
      return { found: existed, version };
    }
    if (type === "touch")
      return { found: true, version: (await memory.touch(key, optionsOf(operation))).version };
    return {
      found: true,
      version: (await memory.set(key, operation.value, optionsOf(operation))).version,
    };
  } catch (error) {
    if (!isMemoryError(error)) throw error;
    return { found: false, version: undefined, code: error.code };
  }
}

function withoutVersion({ version: _, ...facts }: RealFacts): object {
  return facts;
}

function modelFacts(result: ModelResult, type: BatchOperation["type"] | undefined): object {
  if ("error" in result) return { found: false, code: result.error.code };
  return { found: result.found, ...(type === "get" ? { value: result.value } : {}) };
}

function versionOf(result: ModelResult | undefined): number | undefined {
  return result === undefined || "error" in result ? undefined : result.version;
}

/** What is left of a batch's operation once it is called by its own method. */
function optionsOf(operation: BatchOperation): object {
  const { type: _, key: __, ...rest } = operation;
  const { value: ___, ...options } = rest as { readonly value?: unknown };
  return options;
}

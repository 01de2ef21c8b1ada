import { MemoryError } from "../../model/errors.ts";
import type { ItemRef } from "../../model/item.ts";
import type { EphemeralPut, EphemeralResult } from "../shared.ts";
import { encodeEphemeralRest } from "./entry-codec.ts";
import { digits } from "./entry-digits.ts";
import { evaluate, numbers, scanPage } from "./redis-commands.ts";
import type { Argument } from "./redis-commands.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { isInScope } from "./redis-names.ts";
import type { RedisNames } from "./redis-names.ts";
import {
  PROVE_EPHEMERAL,
  PUT_EPHEMERAL,
  REMOVE_EPHEMERAL,
  REMOVE_EPHEMERALS,
  TOUCH_EPHEMERAL,
} from "./scripts.ts";
import type { RedisScript } from "./scripts.ts";

type Condition = EphemeralPut["condition"];

const CONFLICT = 2;
const DURABLE = 3;
const SCAN_COUNT = 500;

/** Items whose authority Redis is: each write is judged and versioned there in one step. */
export class EphemeralItems {
  readonly #connection: RedisConnection;
  readonly #names: () => RedisNames;

  constructor(connection: RedisConnection, names: () => RedisNames) {
    this.#connection = connection;
    this.#names = names;
  }

  put(put: EphemeralPut): Promise<EphemeralResult> {
    const { record, ttlMs, provenAt, baseVersion, condition } = put;
    const name = this.#names().key(record);
    const rest = encodeEphemeralRest(record);
    const args = [lifetime(ttlMs), digits(provenAt), digits(baseVersion), rest];
    return this.#write(PUT_EPHEMERAL, name, [conditionText(condition), ...args]);
  }

  remove(ref: ItemRef, condition: Condition): Promise<EphemeralResult> {
    return this.#write(REMOVE_EPHEMERAL, this.#names().key(ref), [conditionText(condition)]);
  }

  touch(ref: ItemRef, ttlMs: number | undefined, condition: Condition): Promise<EphemeralResult> {
    const args = [conditionText(condition), lifetime(ttlMs)];
    return this.#write(TOUCH_EPHEMERAL, this.#names().key(ref), args);
  }

  async prove(
    ref: ItemRef,
    proof: { readonly version: number; readonly provenAt: number; readonly baseVersion: number },
  ): Promise<void> {
    const { version, provenAt, baseVersion } = proof;
    const args = [digits(version), digits(provenAt), digits(baseVersion)];
    await this.#write(PROVE_EPHEMERAL, this.#names().key(ref), args);
  }

  /** Walks all keys in bounded steps. When some are removed and others not, nobody knows which. */
  async removeWhere(
    scope: { readonly namespace: string; readonly below: boolean },
    matches: (ref: ItemRef) => boolean,
  ): Promise<number> {
    const names = this.#names();
    const page = { pattern: names.pattern(scope), count: SCAN_COUNT };
    const isMeant = (name: string): boolean => {
      const ref = names.ref(name);
      return ref !== undefined && isInScope(ref, scope) && matches(ref);
    };
    let removed = 0;
    const count = (more: number): void => void (removed += more);
    try {
      for (const master of this.#connection.masters()) {
        let cursor = "0";
        do {
          const at = cursor;
          const found = await this.#connection.run("scan", () => scanPage(master, at, page));
          await this.#removeAll(found.names.filter(isMeant), count);
          ({ cursor } = found);
        } while (cursor !== "0");
      }
    } catch (cause) {
      if (removed === 0) throw cause;
      throw new MemoryError(
        "OUTCOME_UNKNOWN",
        `${removed} ephemeral items were removed before Redis failed; remove the rest again`,
        { cause },
      );
    }
    return removed;
  }

  /** Ends when each command has: none is under way any more when an error is thrown. */
  async #removeAll(names: readonly string[], count: (removed: number) => void): Promise<void> {
    if (names.length === 0) return;
    // The slots of a cluster's keys differ, though one node holds them all.
    const groups = this.#connection.isCluster ? names.map((name) => [name]) : [names];
    const ended = await Promise.allSettled(
      groups.map(async (group) => {
        const reply = await this.#connection.change("delete", (client) =>
          evaluate(client, REMOVE_EPHEMERALS, group, []),
        );
        count(Number(reply));
      }),
    );
    const failures = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    const doubtful = failures.find((error) => isOutcomeUnknown(error));
    if (failures.length > 0) throw doubtful ?? failures[0];
  }

  async #write(
    script: RedisScript,
    name: string,
    args: readonly Argument[],
  ): Promise<EphemeralResult> {
    const operation = script === REMOVE_EPHEMERAL ? "delete" : "set";
    const reply = await this.#connection.change(operation, (client) =>
      evaluate(client, script, [name], args),
    );
    const [state, version = 0, existed] = numbers(reply);
    if (state === DURABLE) return { status: "durable", version };
    if (state === CONFLICT)
      return { status: "conflict", currentVersion: version === 0 ? null : version };
    return { status: "written", version, existed: existed === 1 };
  }
}

function lifetime(ttlMs: number | undefined): string {
  return ttlMs === undefined ? "" : String(Math.max(1, Math.floor(ttlMs)));
}

function conditionText(condition: Condition): string {
  return condition === undefined ? "" : String(condition);
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof MemoryError && error.code === "OUTCOME_UNKNOWN";
}

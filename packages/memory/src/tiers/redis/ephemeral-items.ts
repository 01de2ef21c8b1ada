import type { ItemRef } from "../../model/item.ts";
import type { EphemeralPut, EphemeralResult } from "../shared.ts";
import { encodeEphemeralRest } from "./entry-codec.ts";
import { digits } from "./entry-digits.ts";
import { evaluate, numbers } from "./redis-commands.ts";
import type { Argument } from "./redis-commands.ts";
import type { RedisConnection } from "./redis-connection.ts";
import type { RedisNames } from "./redis-names.ts";
import { PROVE_EPHEMERAL, PUT_EPHEMERAL, REMOVE_EPHEMERAL, TOUCH_EPHEMERAL } from "./scripts.ts";
import type { RedisScript } from "./scripts.ts";

type Condition = EphemeralPut["condition"];

const CONFLICT = 2;
const DURABLE = 3;

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

  async #write(
    script: RedisScript,
    name: string,
    args: readonly Argument[],
  ): Promise<EphemeralResult> {
    const operation = script === REMOVE_EPHEMERAL ? "delete" : "set";
    const reply = await this.#connection.run(operation, (client) =>
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

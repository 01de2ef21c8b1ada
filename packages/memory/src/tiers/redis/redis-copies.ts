import type { TierOperation } from "../../metrics/metrics.ts";
import type { Clock, Random } from "../../model/clock.ts";
import type { ItemRef } from "../../model/item.ts";
import type {
  LeaseRequest,
  LeaseToken,
  SettledChange,
  SettleOutcome,
  SharedCopy,
  SharedEntry,
} from "../shared.ts";
import { Batcher, gatherArrived, gatherReady } from "./batcher.ts";
import { encodeChanges } from "./bus-message.ts";
import type { DecodedEntry } from "./entry-codec.ts";
import { UNKNOWN_DEADLINE, claimsItem, decodeEntry, encodeCopy, hasTtl } from "./entry-codec.ts";
import { digits } from "./entry-digits.ts";
import { makeLease, readLease } from "./lease-token.ts";
import { evaluate, numbers, readValues } from "./redis-commands.ts";
import type { Argument } from "./redis-commands.ts";
import type { RedisConnection } from "./redis-connection.ts";
import type { RedisNames } from "./redis-names.ts";
import { DISCARD, FILL, LEASE, READ_WITH_LIFETIME, RELEASE, SETTLE } from "./scripts.ts";
import type { RedisScript } from "./scripts.ts";

export interface RedisCopiesOptions {
  readonly connection: RedisConnection;
  readonly names: () => RedisNames;
  readonly clock: Clock;
  readonly random: Random;
  readonly copyLifeMs: number;
  readonly markerLifeMs: number;
  readonly leaseMs: number;
}

/** Keys in one script: Redis does nothing else meanwhile. */
const KEYS_MAX = 128;
/** Keys in one MGET, of which each takes Redis a fraction of a microsecond. */
const READ_KEYS_MAX = 1024;
/** A copy lives at least this share of the longest life: not all that were made together go together. */
const LIFE_SHARE_MIN = 0.8;
/** Redis counts whole milliseconds: what it says is left may be one more than there is. */
const LIFETIME_GRAIN_MS = 1;
/** As far as scripts look. */
const DISCARD_BYTES = 81;
const STORED = 1;
const OLDER = 0;
const NO_ROOM = -1;

/** Copies, markers and leases. What each script does stands beside it in scripts.ts. */
export class RedisCopies {
  hits = 0;
  misses = 0;
  readonly #options: RedisCopiesOptions;
  readonly #keysMax: number;
  readonly #readKeysMax: number;
  readonly #reads: Batcher<string, Buffer | null>;
  readonly #settling: Batcher<SettledChange, SettleOutcome>;

  constructor(options: RedisCopiesOptions) {
    this.#options = options;
    // In a cluster keys of one command must lie in one slot.
    const { isCluster } = options.connection;
    this.#keysMax = isCluster ? 1 : KEYS_MAX;
    this.#readKeysMax = isCluster ? 1 : READ_KEYS_MAX;
    this.#reads = new Batcher({
      itemsMax: this.#readKeysMax,
      work: (names) => this.#readChunk(names),
      gather: gatherReady,
    });
    this.#settling = new Batcher({
      itemsMax: this.#keysMax,
      work: (changes) => this.#settleChunk(changes),
      gather: gatherArrived,
    });
  }

  findMany(refs: readonly ItemRef[]): Promise<readonly (SharedEntry | undefined)[]> {
    const [only] = refs;
    // Each promise on the way of a single read costs as much as judging what it brings.
    return only !== undefined && refs.length === 1 ? this.#findOne(only) : this.#findAll(refs);
  }

  async #findAll(refs: readonly ItemRef[]): Promise<readonly (SharedEntry | undefined)[]> {
    const known = this.#options.names();
    const names = refs.map((ref) => known.key(ref));
    const read = (chunk: readonly string[]): Promise<readonly (Buffer | null)[]> =>
      this.#readChunk(chunk);
    const values = await this.#inChunks(names, null, read, this.#readKeysMax);
    const timed: number[] = [];
    const entries = refs.map((ref, index) => {
      const entry = this.#counted(values[index], ref, names[index] ?? "");
      if (entry?.record.deadlineMs === UNKNOWN_DEADLINE) timed.push(index);
      return entry;
    });
    return timed.length === 0 ? entries : this.#learnLifetimes(refs, entries, timed);
  }

  /** Most reads are of one item: with those of the same moment, and without lists. */
  async #findOne(ref: ItemRef): Promise<readonly (SharedEntry | undefined)[]> {
    const name = this.#options.names().key(ref);
    const entries = [this.#counted(await this.#reads.add(name), ref, name)];
    const isTimed = entries[0]?.record.deadlineMs === UNKNOWN_DEADLINE;
    return isTimed ? this.#learnLifetimes([ref], entries, [0]) : entries;
  }

  async lease(requests: readonly LeaseRequest[]): Promise<readonly (LeaseToken | undefined)[]> {
    const { clock, random, leaseMs, markerLifeMs } = this.#options;
    return this.#inChunks(requests, undefined, async (chunk) => {
      const secrets = chunk.map(() => makeLease(random));
      const reply = await this.#evaluate("set", LEASE, {
        refs: chunk,
        args: [
          leaseMs,
          markerLifeMs,
          ...chunk.flatMap(({ minVersion, minProvenAt }, index) => [
            secrets[index] ?? "",
            minVersion,
            minProvenAt,
          ]),
        ],
      });
      // Known from here on: what is left of a lifetime now was left when the lease was granted.
      const knownMs = clock.monotonicMs();
      return reply.map((state, index) =>
        state === STORED ? `${secrets[index] ?? ""}@${knownMs}` : undefined,
      );
    });
  }

  async fill(
    copies: readonly (SharedCopy & { readonly lease: LeaseToken })[],
  ): Promise<readonly boolean[]> {
    const { leaseMs, markerLifeMs } = this.#options;
    return this.#inChunks(copies, false, async (chunk) => {
      const reply = await this.#evaluate("set", FILL, {
        refs: chunk.map(({ record }) => record),
        args: [leaseMs, markerLifeMs, ...chunk.flatMap((copy) => this.#fillArguments(copy))],
      });
      return reply.map((state) => state === STORED);
    });
  }

  async release(leases: readonly (ItemRef & { readonly lease: LeaseToken })[]): Promise<void> {
    const { markerLifeMs } = this.#options;
    await this.#inChunks(leases, undefined, async (chunk) => {
      const secrets = chunk.map(({ lease }) => readLease(lease).secret);
      await this.#evaluate("set", RELEASE, { refs: chunk, args: [markerLifeMs, ...secrets] });
      return chunk.map(() => undefined);
    });
  }

  async settle(changes: readonly SettledChange[]): Promise<readonly SettleOutcome[]> {
    const [only] = changes;
    // With those that commit in the same moment.
    if (only !== undefined && changes.length === 1) {
      const outcome = await this.#settling.add(only);
      return outcome === undefined ? [] : [outcome];
    }
    const outcomes = await Promise.all(
      chunksOf(changes, this.#keysMax).map((chunk) => this.#settleChunk(chunk)),
    );
    return outcomes.flat();
  }

  async #settleChunk(changes: readonly SettledChange[]): Promise<readonly SettleOutcome[]> {
    const { markerLifeMs, names } = this.#options;
    const reply = await this.#evaluate("set", SETTLE, {
      refs: changes,
      args: [
        names().channel,
        encodeChanges(changes),
        markerLifeMs,
        ...changes.flatMap((change) => this.#settleArguments(change)),
      ],
    });
    return reply.map((state): SettleOutcome => {
      if (state === STORED) return "stored";
      return state === OLDER ? "older" : "marked";
    });
  }

  #fillArguments(copy: SharedCopy & { readonly lease: LeaseToken }): Argument[] {
    const { record, lease } = copy;
    const { secret, knownMs } = readLease(lease);
    const remaining = hasTtl(record) ? String(Math.floor(record.deadlineMs - knownMs)) : "";
    return [secret, digits(record.version), this.#life(), remaining, encodeCopy(copy)];
  }

  #settleArguments({ version, copy }: SettledChange): Argument[] {
    // How late this command is carried out nobody knows, so no lifetime can be counted from then.
    const isKept = copy !== undefined && !hasTtl(copy.record);
    return [digits(version), this.#life(), isKept ? encodeCopy(copy) : ""];
  }

  #life(): number {
    const { copyLifeMs, random } = this.#options;
    return Math.floor(copyLifeMs * (LIFE_SHARE_MIN + random() * (1 - LIFE_SHARE_MIN)));
  }

  #counted(bytes: unknown, ref: ItemRef, name: string): SharedEntry | undefined {
    const entry = this.#decode(bytes, ref, name);
    if (entry === undefined) this.misses += 1;
    else this.hits += 1;
    return entry;
  }

  #decode(bytes: unknown, ref: ItemRef, name: string): DecodedEntry | undefined {
    if (!(bytes instanceof Buffer)) return undefined;
    const entry = decodeEntry(bytes, ref);
    if (entry === undefined && claimsItem(bytes)) this.#discard(name, bytes);
    return entry;
  }

  /** A damaged item would keep others out: its place is made free, in the background. */
  #discard(name: string, bytes: Buffer): void {
    const { connection } = this.#options;
    const args = [bytes.subarray(0, DISCARD_BYTES)];
    connection
      .run("delete", (client) => evaluate(client, DISCARD, [name], args))
      // Redis is away: then the damage is too, or it is met again.
      .catch(() => undefined);
  }

  #readChunk(names: readonly string[]): Promise<readonly (Buffer | null)[]> {
    const operation = names.length === 1 ? "get" : "batch";
    return this.#options.connection.run(operation, (client) => readValues(client, names));
  }

  /** Reads again those with a lifetime, with what is left of it. */
  async #learnLifetimes(
    refs: readonly ItemRef[],
    entries: (SharedEntry | undefined)[],
    timed: readonly number[],
  ): Promise<readonly (SharedEntry | undefined)[]> {
    const wanted = timed.flatMap((index) => refs[index] ?? []);
    const learned = await this.#inChunks(wanted, undefined, (chunk) => this.#readTimed(chunk));
    for (const [at, index] of timed.entries()) entries[index] = learned[at];
    return entries;
  }

  /** Value and remaining lifetime of one moment; counted from when we asked, so it can only be early. */
  async #readTimed(refs: readonly ItemRef[]): Promise<readonly (SharedEntry | undefined)[]> {
    const { connection, clock, names } = this.#options;
    const known = names();
    const keys = refs.map((ref) => known.key(ref));
    const askedMs = clock.monotonicMs();
    const reply = await connection.run("get", (client) =>
      evaluate(client, READ_WITH_LIFETIME, keys, []),
    );
    const parts: readonly unknown[] = Array.isArray(reply) ? reply : [];
    return refs.map((ref, index) => {
      const leftMs = Number(parts[2 * index + 1]) - LIFETIME_GRAIN_MS;
      const entry = this.#decode(parts[2 * index], ref, keys[index] ?? "");
      if (entry?.record.deadlineMs !== UNKNOWN_DEADLINE) return entry;
      // A lifetime without an end, where there must be one, is damage.
      if (!(leftMs > 0)) return undefined;
      entry.record.deadlineMs = askedMs + leftMs;
      return entry;
    });
  }

  async #evaluate(
    operation: TierOperation,
    script: RedisScript,
    call: { readonly refs: readonly ItemRef[]; readonly args: readonly Argument[] },
  ): Promise<readonly number[]> {
    const { names, connection } = this.#options;
    const known = names();
    const keys = call.refs.map((ref) => known.key(ref));
    const states = numbers(
      await connection.run(operation, (client) => evaluate(client, script, keys, call.args)),
    );
    if (states.includes(NO_ROOM)) connection.noteFull(operation);
    return states;
  }

  /**
   * One command for each chunk, all at once. Where some nodes of a cluster are away the others'
   * answers count; where none answers this rejects.
   */
  async #inChunks<T, R>(
    items: readonly T[],
    missing: R,
    work: (chunk: readonly T[]) => Promise<readonly R[]>,
    sizeMax: number = this.#keysMax,
  ): Promise<readonly R[]> {
    const chunks = chunksOf(items, sizeMax);
    const [only] = chunks;
    if (only === undefined) return [];
    if (chunks.length === 1) return work(only);
    const answers = await Promise.allSettled(chunks.map((chunk) => work(chunk)));
    const [first] = answers;
    if (first?.status === "rejected" && answers.every(({ status }) => status === "rejected"))
      throw first.reason;
    return answers.flatMap((answer, index) =>
      answer.status === "fulfilled" ? answer.value : (chunks[index] ?? []).map(() => missing),
    );
  }
}

function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  if (items.length <= size) return items.length === 0 ? [] : [items];
  const chunks: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}

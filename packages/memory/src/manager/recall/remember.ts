import { Copies } from "../../coherence/copies.ts";
import { BatchAborted, MemoryError, VersionConflict } from "../../model/errors.ts";
import type { ItemRecord, Receipt } from "../../model/item.ts";
import { MEMORY_TEXT_PATH, memoryIn, memoryValue } from "../../recall/memory-item.ts";
import type { MemoryFields, MemoryValue } from "../../recall/memory-item.ts";
import {
  countedMemory,
  newMemory,
  supersededMemory,
  updatedMemory,
} from "../../recall/merge-memory.ts";
import type { SaidOfMemory } from "../../recall/merge-memory.ts";
import { KEPT_INDEXING } from "../../tiers/authority.ts";
import type { PutOperation, WriteResult } from "../../tiers/authority.ts";
import { refId } from "../../tiers/tier.ts";
import type { Core } from "../core.ts";
import { checkSet } from "../inputs.ts";
import type { Parts } from "../runtime.ts";
import type { TierOutcomes } from "../settle-shared.ts";
import type { CheckedMemory } from "./check-remember.ts";
import type { RememberReceipt } from "./memories.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { saidId } from "./said-again.ts";

const ATTEMPTS_MAX = 100;
const BACKOFF_MS = { first: 1, max: 50 };
const MICROSECONDS_PER_MS = 1000;

/** One call, as it arrived. */
interface Arrived {
  readonly namespace: string;
  readonly said: CheckedMemory;
  readonly link: string | undefined;
  readonly nowMs: number;
  readonly order: number;
}

/** What is there of a memory and of those in whose place it comes. */
interface Found {
  readonly record: ItemRecord | undefined;
  readonly memory: MemoryValue | undefined;
}

/** Writes memories. Calls for one id wait for each other here, and meet in the authority elsewhere. */
export class Remembering {
  readonly #queue = new OneAtATime();
  #lastOrder = 0;

  async remember(
    parts: Parts,
    namespace: string,
    request: { readonly said: CheckedMemory; readonly link: string | undefined },
  ): Promise<RememberReceipt> {
    const { said, link } = request;
    const nowMs = parts.core.clock.wallMs();
    const arrived = { namespace, said, link, nowMs, order: this.#nextOrder(nowMs) };
    let after: string | undefined;
    for (;;) {
      const id = said.id ?? saidId(parts.core.codec, { ...said, after });
      const ref = refId({ namespace, key: id });
      const outcome = await this.#queue.run(ref, () => store(parts, { ...arrived, id }));
      if ("receipt" in outcome) return outcome.receipt;
      after = outcome.supersededBy;
    }
  }

  #nextOrder(nowMs: number): number {
    this.#lastOrder = Math.max(this.#lastOrder + 1, nowMs * MICROSECONDS_PER_MS);
    return this.#lastOrder;
  }
}

type Outcome = { readonly receipt: RememberReceipt } | { readonly supersededBy: string };

/** Tries until nobody writes in between. A first time needs no look before it. */
async function store(parts: Parts, call: Arrived & { readonly id: string }): Promise<Outcome> {
  const { core } = parts;
  const { said, id, namespace } = call;
  let found: readonly Found[] = [];
  for (let attempt = 0; ; attempt += 1) {
    if (attempt > 0 || said.supersedes.length > 0) {
      found = await read(core, namespace, [id, ...said.supersedes]);
      const holder = found[0]?.memory?.supersededBy;
      if (said.id === undefined && holder !== undefined) return { supersededBy: holder };
    }
    const next = nextMemory(call, found[0]);
    const operations = [
      await putOf(parts, call, { next, found: found[0] }),
      ...supersededPuts(parts, call, { next, found: found.slice(1) }),
    ];
    const written = await writeAll(parts, operations);
    if (written !== undefined) return { receipt: receiptOf(core, { id, next, written }) };
    if (attempt >= ATTEMPTS_MAX)
      throw new VersionConflict(id, "nobody else to write it meanwhile", null);
    const mostMs = Math.min(BACKOFF_MS.max, BACKOFF_MS.first * 2 ** attempt);
    await core.clock.sleep(core.random() * mostMs);
  }
}

async function read(
  { authority, codec }: Core,
  namespace: string,
  keys: readonly string[],
): Promise<readonly Found[]> {
  const records = await authority.getMany(keys.map((key) => ({ namespace, key })));
  return records.map((record) => ({
    record,
    memory: record && memoryIn(codec.decode(record.body, record)),
  }));
}

function nextMemory(
  call: Arrived & { readonly id: string },
  found: Found | undefined,
): MemoryFields {
  const { said, link } = call;
  const says: SaidOfMemory = { ...said, duplicateOf: link === call.id ? undefined : link };
  if (found?.record === undefined) return newMemory(says, call);
  if (found.memory === undefined)
    throw new MemoryError(
      "INVALID_ARGUMENT",
      `id: ${JSON.stringify(call.id)} is an item that is no memory; choose another id, or delete that item`,
      { field: "id" },
    );
  return said.id === undefined
    ? countedMemory(found.memory, says)
    : updatedMemory(found.memory, says);
}

async function putOf(
  { core, write, ephemeral }: Parts,
  { namespace, id, said }: Arrived & { readonly id: string },
  { next, found }: { readonly next: MemoryFields; readonly found: Found | undefined },
): Promise<PutOperation> {
  const record = found?.record;
  const { metadata = record?.metadata, ttlSeconds } = said;
  const set = checkSet(
    id,
    memoryValue(next),
    {
      text: MEMORY_TEXT_PATH,
      ...(metadata === undefined ? {} : { metadata }),
      ...(record === undefined ? {} : { tags: record.tags }),
    },
    core.config.limits,
  );
  const condition = await ephemeral.conditionBeside(
    { namespace, key: id },
    { condition: record?.version ?? "absent" },
  );
  const put = write.encodePut(namespace, { ...set, ...lifetimeOf(core, said, record), condition });
  const expiresAtMs = keptExpiry(said, record);
  return ttlSeconds === undefined && expiresAtMs !== undefined ? { ...put, expiresAtMs } : put;
}

/** Said again it never lives shorter than it would have. */
function lifetimeOf(
  { clock }: Core,
  { ttlSeconds }: CheckedMemory,
  record: ItemRecord | undefined,
): { readonly ttlSeconds: number | undefined } {
  if (ttlSeconds === undefined || record === undefined) return { ttlSeconds };
  const leftSeconds = (record.deadlineMs - clock.monotonicMs()) / 1000;
  return leftSeconds === Number.POSITIVE_INFINITY
    ? { ttlSeconds: undefined }
    : { ttlSeconds: Math.max(ttlSeconds, leftSeconds) };
}

/** An update keeps the expiry, as all that is not said of it. What is said again becomes lasting. */
function keptExpiry({ id }: CheckedMemory, record: ItemRecord | undefined): number | undefined {
  return id === undefined ? undefined : record?.expiresAtMs;
}

function supersededPuts(
  { core, write }: Parts,
  { namespace, id, said }: Arrived & { readonly id: string },
  { next, found }: { readonly next: MemoryFields; readonly found: readonly Found[] },
): PutOperation[] {
  const fromMs = Date.parse(next.validFrom ?? next.at);
  return said.supersedes.flatMap((key, index) => {
    // Only known for an id that was given; a made one is never its own predecessor's.
    if (key === id) throw notSupersedable(key, "is this memory itself");
    const { record, memory } = found[index] ?? {};
    if (record === undefined) throw notSupersedable(key, "does not exist");
    if (memory === undefined) throw notSupersedable(key, "is no memory");
    const marked = supersededMemory(memory, { id, fromMs });
    if (marked.supersededBy !== id || marked.validTo === memory.validTo) return [];
    const { metadata, tags, version, expiresAtMs } = record;
    const set = checkSet(key, memoryValue(marked), { metadata, tags }, core.config.limits);
    return [
      {
        ...write.encodePut(namespace, { ...set, condition: version }),
        indexing: KEPT_INDEXING,
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      },
    ];
  });
}

function notSupersedable(id: string, fault: string): MemoryError {
  const message = `supersedes: ${JSON.stringify(id)} ${fault}; give the ids that remember returned`;
  const code = fault === "does not exist" ? "NOT_FOUND" : "INVALID_ARGUMENT";
  return new MemoryError(code, message, { field: "supersedes" });
}

interface Written {
  readonly result: Extract<WriteResult, { status: "written" }>;
  readonly outcomes: TierOutcomes | undefined;
}

/** All or nothing; undefined: one of them was written by another meanwhile. */
async function writeAll(
  { write }: Parts,
  operations: readonly PutOperation[],
): Promise<Written | undefined> {
  try {
    const { results, outcomes } = await write.write(operations, { atomic: operations.length > 1 });
    const [result] = results;
    if (result?.status !== "written") return undefined;
    return { result, outcomes: outcomes[0] };
  } catch (error) {
    if (error instanceof BatchAborted && error.cause instanceof VersionConflict) return undefined;
    throw error;
  }
}

function receiptOf(
  { copies, authority, shared }: Core,
  {
    id,
    next,
    written: { result, outcomes },
  }: { readonly id: string; readonly next: MemoryFields; readonly written: Written },
): RememberReceipt {
  const tiers: Receipt["tiers"] = Copies.outcomes(authority.name, [
    [copies.objects?.name, outcomes?.objects ?? "skipped"],
    [copies.bytes?.name, outcomes?.bytes ?? "skipped"],
    [shared?.tier.name, outcomes?.shared ?? "skipped"],
  ]);
  const { duplicateOf } = next;
  return {
    key: id,
    id,
    version: String(result.version),
    tiers,
    ...(duplicateOf === undefined ? {} : { duplicateOf }),
  };
}

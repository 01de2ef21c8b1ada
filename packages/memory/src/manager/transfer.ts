import type { Codec } from "../codec/codec.ts";
import { MemoryError, isMemoryError, toMemoryError } from "../model/errors.ts";
import type { ItemRecord, ItemRef } from "../model/item.ts";
import { joinNamespace } from "../model/key.ts";
import { checkTtl } from "../model/value.ts";
import { decodeIndexing } from "../recall/indexing/stored-indexing.ts";
import type { PutOperation } from "../tiers/authority.ts";
import { refId } from "../tiers/tier.ts";
import type { Parts } from "./runtime.ts";
import { checkSet } from "./inputs.ts";
import type { ExportLine, ExportOptions, ImportReceipt } from "./memory.ts";

const PAGE_ITEMS = 500;
const MS_PER_SECOND = 1000;
/** Lines that are imported together or not at all. */
const CHUNK_LINES = 1000;
/** A chunk of large values ends earlier: it is one statement, and the database holds it in memory. */
const CHUNK_BYTES = 32 * 1024 * 1024;
/** Failed lines named in a receipt; more are counted, not listed. */
const FAILED_LISTED = 10_000;
const FIELDS = new Set([
  "namespace",
  "key",
  "value",
  "metadata",
  "tags",
  "text",
  "index",
  "embed",
  "expiresAt",
  "version",
  "createdAt",
  "updatedAt",
]);

function exportLine(
  record: ItemRecord,
  { codec, base }: { codec: Codec; base: string },
): ExportLine {
  const value = codec.decode(record.body, record);
  const path = base === "" ? record.namespace : record.namespace.slice(base.length + 1);
  return {
    ...(path === "" ? {} : { namespace: path }),
    key: record.key,
    value,
    ...(Object.keys(record.metadata).length === 0 ? {} : { metadata: record.metadata }),
    ...(record.tags.length === 0 ? {} : { tags: record.tags }),
    ...decodeIndexing(codec, record),
    ...(record.expiresAtMs === undefined
      ? {}
      : { expiresAt: new Date(record.expiresAtMs).toISOString() }),
    version: String(record.version),
    createdAt: new Date(record.createdAtMs).toISOString(),
    updatedAt: new Date(record.updatedAtMs).toISOString(),
  };
}

/** All live items in key order, a page of the authority at a time. A corrupt one ends it with its error. */
export async function* exportLines(
  parts: Parts,
  namespace: string,
  options: ExportOptions,
): AsyncGenerator<ExportLine> {
  const { authority, codec } = parts.core;
  let after: ItemRef | undefined =
    options.after === undefined ? undefined : { namespace, key: options.after };
  for (;;) {
    const page = await authority.exportPage({
      namespace,
      below: options.below ?? false,
      after,
      limit: PAGE_ITEMS,
    });
    for (const record of page) yield exportLine(record, { codec, base: namespace });
    const last = page.at(-1);
    if (last === undefined) return;
    after = { namespace: last.namespace, key: last.key };
  }
}

/** As exports write it, and what else ISO 8601 calls an instant: a date, a time and a zone. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

function expiryOf(line: { readonly expiresAt?: unknown }): number | undefined {
  const { expiresAt } = line;
  if (expiresAt === undefined) return undefined;
  const isInstant = typeof expiresAt === "string" && INSTANT.test(expiresAt);
  const atMs = isInstant ? Date.parse(expiresAt) : Number.NaN;
  if (Number.isFinite(atMs)) return atMs;
  throw new MemoryError("INVALID_TTL", "expiresAt: expected an ISO 8601 time with its zone", {
    field: "expiresAt",
  });
}

/** The put of one line; undefined when the item has expired meanwhile, which is no failure. */
function linePut(parts: Parts, base: string, line: unknown): PutOperation | undefined {
  if (isMemoryError(line)) throw line;
  if (typeof line !== "object" || line === null || Array.isArray(line) || line instanceof Error)
    throw new MemoryError("INVALID_ARGUMENT", "expected a JSON object with key and value");
  const fields = line as Partial<ExportLine>;
  const unknown = Object.keys(fields).find((name) => !FIELDS.has(name));
  if (unknown !== undefined)
    throw new MemoryError("INVALID_ARGUMENT", `${JSON.stringify(unknown)} is no field of an item`, {
      field: unknown,
    });
  const { limits } = parts.core.config;
  const { metadata, tags, text, index, embed } = fields;
  const namespace =
    fields.namespace === undefined ? base : joinNamespace(base, fields.namespace, limits);
  const set = checkSet(
    fields.key,
    fields.value,
    {
      ...(metadata === undefined ? {} : { metadata }),
      ...(tags === undefined ? {} : { tags }),
      ...(text === undefined ? {} : { text }),
      ...(index === undefined ? {} : { index }),
      ...(embed === undefined ? {} : { embed }),
    },
    limits,
  );
  const expiresAtMs = expiryOf(fields);
  if (expiresAtMs !== undefined) {
    const leftMs = expiresAtMs - parts.core.clock.wallMs();
    if (leftMs <= 0) return undefined;
    checkTtl(leftMs / MS_PER_SECOND, limits);
  }
  const put = parts.write.encodePut(namespace, set);
  return expiresAtMs === undefined ? put : { ...put, expiresAtMs };
}

/** A line of a chunk: what it writes, or why it cannot come in. */
interface CheckedLine {
  readonly number: number;
  readonly put: PutOperation | MemoryError | undefined;
}

function checkLine(
  parts: Parts,
  base: string,
  line: unknown,
): PutOperation | MemoryError | undefined {
  try {
    return linePut(parts, base, line);
  } catch (error) {
    return toMemoryError(error);
  }
}

/** Imports one chunk, all or nothing. Returns the lines that did not come in, with the reason. */
async function importChunk(
  parts: Parts,
  chunk: readonly CheckedLine[],
): Promise<ImportReceipt["failed"]> {
  if (chunk.some(({ put }) => isMemoryError(put)))
    return chunk.map(({ number, put }) => ({
      line: number,
      code: isMemoryError(put) ? put.code : "BATCH_ABORTED",
    }));
  const puts = new Map<string, PutOperation>();
  // The last line of a key wins, as it would if they were imported one after another.
  for (const { put } of chunk)
    if (put !== undefined && !isMemoryError(put)) puts.set(refId(put), put);
  if (puts.size > 0) await parts.write.write([...puts.values()], { atomic: true });
  return [];
}

/** Imports lines in chunks. A store that fails ends it with its error; repeating all is harmless. */
export async function importLines(
  parts: Parts,
  base: string,
  lines: AsyncIterable<unknown> | Iterable<unknown>,
): Promise<ImportReceipt> {
  let count = 0;
  let imported = 0;
  const failed: { line: number; code: string }[] = [];
  let chunk: CheckedLine[] = [];
  let chunkBytes = 0;
  const flush = async (): Promise<void> => {
    const refused = await importChunk(parts, chunk);
    imported += chunk.length - refused.length;
    failed.push(...refused.slice(0, FAILED_LISTED - failed.length));
    chunk = [];
    chunkBytes = 0;
  };
  for await (const line of lines) {
    count += 1;
    const put = checkLine(parts, base, line);
    chunk.push({ number: count, put });
    if (put !== undefined && !isMemoryError(put)) chunkBytes += put.body.byteLength;
    if (chunk.length >= CHUNK_LINES || chunkBytes >= CHUNK_BYTES) await flush();
  }
  await flush();
  return { imported, lines: count, failed };
}

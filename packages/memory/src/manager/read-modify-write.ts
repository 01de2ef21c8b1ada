import { VersionConflict } from "../model/errors.ts";
import type { Receipt } from "../model/item.ts";
import { checkKey } from "../model/key.ts";
import type { Core } from "./core.ts";
import { KEPT_INDEXING } from "../tiers/authority.ts";
import type { PutOperation } from "../tiers/authority.ts";
import { isEphemeralVersion } from "./ephemeral-home.ts";
import { checkEphemeral } from "./ephemeral-path.ts";
import { checkSet, describeCondition } from "./inputs.ts";
import type { CheckedSet } from "./inputs.ts";
import type { UpdateOptions } from "./memory.ts";
import type { ServedObject } from "./read-path.ts";
import type { Parts } from "./runtime.ts";

const ATTEMPTS_MAX = 100;
const BACKOFF_MS_FIRST = 1;
const BACKOFF_MS_MAX = 50;
const MS_PER_SECOND = 1000;

/** Waits a random while before the next try, so that contenders do not meet again and again. */
async function backOff(core: Core, attempt: number): Promise<void> {
  const mostMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** attempt);
  await core.clock.sleep(core.random() * mostMs);
}

interface Update<T> {
  readonly key: string;
  readonly fn: (current: T | undefined) => T | undefined | Promise<T | undefined>;
  readonly options: UpdateOptions;
}

/** Reads the newest, applies `fn`, writes if nobody wrote meanwhile; else again. */
export async function updateItem<T>(
  parts: Parts,
  namespace: string,
  { key, fn, options }: Update<T>,
): Promise<Receipt | undefined> {
  const { core, read } = parts;
  const { limits } = core.config;
  const ref = { namespace, key: checkKey(key, limits) };
  for (let attempt = 1; ; attempt += 1) {
    const found = await read.readObject(ref, { consistency: "latest" });
    const next = await fn(found?.record.value as T | undefined);
    if (next === undefined) return undefined;
    const kept =
      found === undefined ? {} : { metadata: found.record.metadata, tags: found.record.tags };
    const set = checkSet(ref.key, next, { ...kept, ...options }, limits);
    try {
      return await replace(parts, { namespace, found, set, options });
    } catch (error) {
      if (!(error instanceof VersionConflict) || attempt >= ATTEMPTS_MAX) throw error;
      await backOff(core, attempt);
    }
  }
}

/** Writes over exactly what was found. Its lifetime goes on as it was, unless another one is given. */
async function replace(
  { core, write, ephemeral }: Parts,
  update: {
    readonly namespace: string;
    readonly found: ServedObject | undefined;
    readonly set: CheckedSet;
    readonly options: UpdateOptions;
  },
): Promise<Receipt> {
  const { namespace, found, set, options } = update;
  const condition = found?.record.version ?? "absent";
  const isVanishing = found !== undefined && isEphemeralVersion(found.record.version);
  const durability = options.durability ?? (isVanishing ? "ephemeral" : "durable");
  const deadlineMs = options.ttlSeconds === undefined ? found?.record.deadlineMs : undefined;
  const leftSeconds =
    deadlineMs === undefined || deadlineMs === Number.POSITIVE_INFINITY
      ? set.ttlSeconds
      : (deadlineMs - core.clock.monotonicMs()) / MS_PER_SECOND;
  if (durability === "ephemeral") {
    if (!isVanishing) checkEphemeral(options);
    if (leftSeconds !== undefined && leftSeconds <= 0)
      throw new VersionConflict(set.key, describeCondition(condition), null);
    return ephemeral.set(namespace, { ...set, ttlSeconds: leftSeconds, condition });
  }
  const ref = { namespace, key: set.key };
  const beside = await ephemeral.conditionBeside(ref, { condition });
  const put = write.encodePut(namespace, { ...set, condition: beside });
  const { tierHint } = options;
  return write.put(isVanishing ? put : keptBeside(put, found, options), {
    ...(tierHint === undefined ? {} : { tierHint }),
  });
}

/** Expiry and what is searchable stay as they were, unless something else is said. */
function keptBeside(
  put: PutOperation,
  found: ServedObject | undefined,
  { ttlSeconds, text, index, embed }: UpdateOptions,
): PutOperation {
  const expiresAtMs = ttlSeconds === undefined ? found?.record.expiresAtMs : undefined;
  const isSilent = text === undefined && index === undefined && embed === undefined;
  return {
    ...put,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(found !== undefined && isSilent ? { indexing: KEPT_INDEXING } : {}),
  };
}

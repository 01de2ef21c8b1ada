import { MemoryError } from "../model/errors.ts";
import { MEMORY_TIERS } from "../model/item.ts";
import { isPlainObject } from "../model/json-check.ts";
import { describe, quote } from "../model/text.ts";

/** Throws when a value is not what the option takes. */
type Check = (value: unknown, name: string) => void;

/** Every option of one call. Values that have a check of their own elsewhere are `anything` here. */
type Spec = { readonly [name: string]: Check };

export function refuse(field: string, expected: string, given: unknown): never {
  const message = `${field}: expected ${expected}, got ${quote(given)}`;
  throw new MemoryError("INVALID_ARGUMENT", message, { field });
}

const anything: Check = () => {};

const flag: Check = (value, name) => {
  if (typeof value !== "boolean") refuse(name, "true or false", value);
};

const text: Check = (value, name) => {
  if (typeof value !== "string") refuse(name, "text", value);
};

function oneOf(...choices: readonly string[]): Check {
  return (value, name) => {
    if (typeof value !== "string" || !choices.includes(value))
      refuse(name, `one of ${choices.join(", ")}`, value);
  };
}

const milliseconds: Check = (value, name) => {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    refuse(name, "milliseconds from 0 on", value);
};

const count: Check = (value, name) => {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    refuse(name, "a whole number from 0 on", value);
};

function between({ min, max }: { readonly min: number; readonly max: number }): Check {
  return (value, name) => {
    if (typeof value !== "number" || !(value >= min && value <= max))
      refuse(name, `a number from ${min} to ${max}`, value);
  };
}

/** A lease that is shorter would end during an ordinary delay; both together stay below a tombstone's life. */
const LEASE_SECONDS = { min: 0.1, max: 600 };
const LOADER_TIMEOUT_MS = { min: 1, max: 3_600_000 };

function without(spec: Spec, ...names: readonly string[]): Spec {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !names.includes(name)));
}

const CONSISTENCY = oneOf("any", "session", "latest");

/** Options of reads through a session, which has its token already. */
export const SESSION_READ_OPTIONS: Spec = {
  consistency: CONSISTENCY,
  maxStalenessMs: milliseconds,
};
export const READ_OPTIONS: Spec = { ...SESSION_READ_OPTIONS, session: anything };

export const SET_OPTIONS: Spec = {
  ttlSeconds: anything,
  tierHint: oneOf(...MEMORY_TIERS),
  metadata: anything,
  tags: anything,
  durability: oneOf("durable", "ephemeral"),
  ifVersion: anything,
  idempotencyKey: anything,
  text,
  index: flag,
  embed: flag,
};

/** What may be said of a write that is tried again until it holds: neither a condition nor an id of its own. */
export const UPDATE_OPTIONS: Spec = without(SET_OPTIONS, "ifVersion", "idempotencyKey");
export const LOAD_OPTIONS: Spec = {
  ...UPDATE_OPTIONS,
  leaseSeconds: between(LEASE_SECONDS),
  loaderTimeoutMs: between(LOADER_TIMEOUT_MS),
};
export const BATCH_SET_OPTIONS: Spec = without(SET_OPTIONS, "idempotencyKey");
export const BATCH_DELETE_OPTIONS: Spec = { ifVersion: anything };
export const NO_OPTIONS: Spec = {};

export const DELETE_OPTIONS: Spec = { ifVersion: anything, idempotencyKey: anything };
export const TOUCH_OPTIONS: Spec = { ttlSeconds: anything, ifVersion: anything };
export const PATCH_OPTIONS: Spec = { ifVersion: anything, idempotencyKey: anything };
export const SESSION_BATCH_OPTIONS: Spec = {
  atomic: flag,
  idempotencyKey: anything,
  consistency: CONSISTENCY,
};
export const BATCH_OPTIONS: Spec = { ...SESSION_BATCH_OPTIONS, session: anything };
export const SESSION_SEARCH_OPTIONS: Spec = {
  pattern: anything,
  metadataFilter: anything,
  tags: anything,
  query: text,
  mode: oneOf("keyword", "semantic", "hybrid"),
  limit: anything,
  cursor: anything,
  explain: flag,
  below: flag,
  consistency: CONSISTENCY,
};
export const SEARCH_OPTIONS: Spec = { ...SESSION_SEARCH_OPTIONS, session: anything };
export const FORGET_OPTIONS: Spec = {
  keys: anything,
  pattern: anything,
  metadataFilter: anything,
  tags: anything,
  below: flag,
  dryRun: flag,
  jobAbove: count,
};
export const CLEAR_OPTIONS: Spec = { below: flag };
export const EXPORT_OPTIONS: Spec = { below: flag, after: anything };
export const CHANGES_OPTIONS: Spec = { after: anything, below: flag, limit: count };

const NONE = Object.freeze({});

/**
 * The options of a call, none when they are left out. A name that no option has is refused: a
 * misspelt condition would otherwise be no condition at all.
 */
export function checkOptions<T extends object>(options: T | undefined, spec: Spec): T {
  // An empty object is a T wherever all options are optional, as they are in every call here.
  if (options === undefined) return NONE as T;
  if (!isPlainObject(options)) refuse("options", "an object", options);
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (check === undefined) {
      const field = name.slice(0, 60);
      const known = Object.keys(spec).join(", ");
      throw new MemoryError(
        "INVALID_ARGUMENT",
        `${quote(name)} is no option; expected ${known || "none"}`,
        {
          field,
        },
      );
    }
    if (value !== undefined) check(value, name);
  }
  return options;
}

/** What a caller passes to be called. */
export function checkFunction(value: unknown, field: string): void {
  if (typeof value !== "function")
    throw new MemoryError(
      "INVALID_ARGUMENT",
      `${field}: expected a function, got ${describe(value)}`,
      {
        field,
      },
    );
}

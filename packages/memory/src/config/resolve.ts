import { readFileSync } from "node:fs";
import { MemoryError } from "../model/errors.ts";
import type { MemoryConfig } from "./config.ts";
import { DEFAULT_CONFIG } from "./defaults.ts";
import { checkConfig } from "./schema.ts";

/** A configuration of which any part may be left to the defaults. Lists are replaced, not merged. */
export type PartialConfig = DeepPartial<MemoryConfig>;

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [name in keyof T]?: DeepPartial<T[name]> }
    : T;

type Fields = { readonly [name: string]: unknown };

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merge(base: Fields, over: Fields): Fields {
  const merged = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged.get(name);
    merged.set(name, isFields(below) && isFields(value) ? merge(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The defaults with `config` laid over them; INVALID_CONFIG names every problem at once. */
export function resolveConfig(config: PartialConfig): MemoryConfig {
  if (!isFields(config))
    throw new MemoryError("INVALID_CONFIG", "config: expected an object of settings");
  // checkConfig proves the shape: whatever is not a MemoryConfig is refused there.
  return checkConfig(merge({ ...DEFAULT_CONFIG }, { ...config }) as unknown as MemoryConfig);
}

/** A JSON file with a `PartialConfig` in it. */
export function readConfigFile(path: string): MemoryConfig {
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new MemoryError("INVALID_CONFIG", `${path}: expected a readable JSON file`, { cause });
  }
  if (!isFields(config))
    throw new MemoryError("INVALID_CONFIG", `${path}: expected a JSON object of settings`);
  return resolveConfig(config);
}

import { MemoryError, toMemoryError } from "../model/errors.ts";
import type { MemoryTier } from "../model/item.ts";
import { checkKey } from "../model/key.ts";
import { checkTtl } from "../model/value.ts";
import type { WriteOperation } from "../tiers/authority.ts";
import type { Core } from "./core.ts";
import { checkEphemeral } from "./ephemeral-path.ts";
import { checkSet, parseCondition } from "./inputs.ts";
import type { BatchOperation } from "./memory.ts";
import {
  BATCH_DELETE_OPTIONS,
  BATCH_SET_OPTIONS,
  NO_OPTIONS,
  TOUCH_OPTIONS,
  checkOptions,
  refuse,
} from "./options.ts";
import type { WritePath } from "./write-path.ts";

/** An operation of a batch, checked in full. */
export interface CheckedOperation {
  readonly type: BatchOperation["type"];
  readonly key: string;
  readonly given: BatchOperation;
  readonly write: WriteOperation | undefined;
  readonly tierHint: MemoryTier | undefined;
  readonly ephemeral: boolean;
}

interface Checker {
  readonly core: Core;
  readonly write: WritePath;
}

function checkOne(namespace: string, given: BatchOperation, parts: Checker): CheckedOperation {
  const { limits } = parts.core.config;
  const common = { given, write: undefined, tierHint: undefined, ephemeral: false };
  switch (given.type) {
    case "get":
    case "exists": {
      const { type, key, ...options } = given;
      checkOptions(options, NO_OPTIONS);
      return { ...common, type, key: checkKey(key, limits) };
    }
    case "set": {
      const { type, key, value, ...rest } = given;
      const options = checkOptions(rest, BATCH_SET_OPTIONS);
      const set = checkSet(key, value, options, limits);
      const ephemeral = options.durability === "ephemeral";
      if (ephemeral) checkEphemeral(options);
      const write = parts.write.encodePut(namespace, set);
      return { ...common, type, key: set.key, write, tierHint: options.tierHint, ephemeral };
    }
    case "delete": {
      const { type, key, ...rest } = given;
      const condition = parseCondition(checkOptions(rest, BATCH_DELETE_OPTIONS).ifVersion);
      const conditional = condition === undefined ? {} : { condition };
      const ref = { namespace, key: checkKey(key, limits) };
      return { ...common, type, key: ref.key, write: { kind: "remove", ...ref, ...conditional } };
    }
    case "touch": {
      const { type, key, ...rest } = given;
      const { ttlSeconds, ifVersion } = checkOptions(rest, TOUCH_OPTIONS);
      if (ttlSeconds !== undefined) checkTtl(ttlSeconds, limits);
      const condition = parseCondition(ifVersion);
      const conditional = condition === undefined ? {} : { condition };
      const ref = { namespace, key: checkKey(key, limits) };
      const write = { kind: "touch", ...ref, ttlSeconds, ...conditional } as const;
      return { ...common, type, key: ref.key, write };
    }
    default:
      return refuse(
        "type",
        "get, set, delete, exists or touch",
        (given as { readonly type?: unknown }).type,
      );
  }
}

/** The same error, its message and field prefixed by which operation it was. */
function inOperation(error: unknown, index: number): MemoryError {
  const { code, message, field } = toMemoryError(error);
  const place = `operations[${index}]`;
  return new MemoryError(code, `${place}: ${message}`, {
    cause: error,
    field: field === undefined ? place : `${place}.${field}`,
  });
}

/** Checks a whole batch before anything of it is carried out. */
export function checkBatch(
  namespace: string,
  operations: readonly BatchOperation[],
  parts: Checker,
): readonly CheckedOperation[] {
  const { limits } = parts.core.config;
  if (!Array.isArray(operations))
    throw new MemoryError("INVALID_ARGUMENT", "operations: expected a list", {
      field: "operations",
    });
  if (operations.length > limits.batchOperations)
    throw new MemoryError(
      "BATCH_TOO_LARGE",
      `operations: ${operations.length} given, at most ${limits.batchOperations} allowed; send several batches`,
      { field: "operations" },
    );
  let bytes = 0;
  return operations.map((given: BatchOperation, index) => {
    try {
      if (typeof given !== "object" || given === null)
        throw new MemoryError("INVALID_ARGUMENT", "expected an object with type and key");
      const checked = checkOne(namespace, given, parts);
      if (checked.write?.kind === "put")
        bytes +=
          parts.core.codec.valueBytes(checked.write.body) +
          (checked.write.indexing?.byteLength ?? 0);
      if (bytes > limits.batchBytes)
        throw new MemoryError(
          "BATCH_TOO_LARGE",
          `the values exceed ${limits.batchBytes} bytes together; send several batches`,
        );
      return checked;
    } catch (error) {
      throw inOperation(error, index);
    }
  });
}

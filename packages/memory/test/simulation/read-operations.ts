import { MemoryTier } from "../../src/model/item.ts";
import type { MemoryItem } from "../../src/model/item.ts";
import type { Consistency } from "../../src/manager/memory.ts";
import type { Shown } from "./judge-read.ts";
import { keyed } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { anyKey } from "./keys.ts";

type Options = { readonly consistency?: Consistency };

/** How this read is to be, and how old what it shows may be. */
function mode(op: Operation): { readonly options: Options; readonly boundMs: number | undefined } {
  if (op.random() < 0.2) return { options: { consistency: "latest" }, boundMs: 0 };
  return { options: {}, boundMs: undefined };
}

function shownOf(item: MemoryItem | undefined): Shown {
  return item === undefined
    ? { value: undefined }
    : { value: item.value, version: Number(item.version) };
}

export async function get(op: Operation): Promise<void> {
  const { namespace, key } = anyKey(op);
  const { options, boundMs } = mode(op);
  const reading = op.begin(boundMs);
  const value = await op.memory(namespace).get(key, options);
  op.trace(() => `get ${namespace}:${key} ${options.consistency ?? ""} = ${JSON.stringify(value)}`);
  op.checker.read(reading, keyed(namespace, key), value === undefined ? { value } : { value });
}

export async function getItem(op: Operation): Promise<void> {
  const { namespace, key } = anyKey(op);
  const { options, boundMs } = mode(op);
  const reading = op.begin(boundMs);
  const item = await op.memory(namespace).getItem(key, options);
  op.trace(
    () =>
      `getItem ${namespace}:${key} ${options.consistency ?? ""} = ${JSON.stringify(item?.value)} v${item?.version} from ${item?.tier}`,
  );
  op.checker.read(reading, keyed(namespace, key), shownOf(item));
  if (item !== undefined && item.tier !== MemoryTier.L3_POSTGRESQL) op.checker.copies += 1;
}

export async function getMany(op: Operation): Promise<void> {
  const { namespace } = anyKey(op);
  const keys = ["k0", "k1", "k2"];
  const reading = op.begin();
  const values = await op.memory(namespace).getMany(keys);
  op.trace(() => `getMany ${namespace} = ${JSON.stringify(values)}`);
  for (const [index, key] of keys.entries()) {
    const value = values[index];
    op.checker.read(reading, keyed(namespace, key), value === undefined ? { value } : { value });
  }
}

export async function peek(op: Operation): Promise<void> {
  const { namespace, key } = anyKey(op);
  const reading = op.begin();
  const value = op.memory(namespace).peek(key);
  if (value === undefined) return;
  op.trace(() => `peek ${namespace}:${key} = ${JSON.stringify(value)}`);
  op.checker.read(reading, keyed(namespace, key), { value });
}

export async function exists(op: Operation): Promise<void> {
  const { namespace, key } = anyKey(op);
  const reading = op.begin();
  if (await op.memory(namespace).exists(key)) return;
  op.trace(() => `exists ${namespace}:${key} = false`);
  op.checker.read(reading, keyed(namespace, key), { value: undefined });
}

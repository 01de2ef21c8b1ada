import type { Answer, BatchStep } from "../servers/protocol.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { wasAnswered } from "./asker.ts";
import type { Asked, Asker, WriteRequest } from "./asker.ts";
import { itemName } from "./keyspace.ts";
import type { Space } from "./keyspace.ts";
import { outcomeOf } from "./outcome.ts";

interface Item {
  readonly namespace: string;
  readonly key: string;
}

const MS_PER_SECOND = 1000;

export async function putOne(
  asker: Asker,
  server: ServerProcess,
  item: Item,
  options: { readonly ttlMs?: number } = {},
): Promise<boolean> {
  const value = asker.newValue();
  const { ttlMs } = options;
  const ttl = ttlMs === undefined ? {} : { ttlSeconds: ttlMs / MS_PER_SECOND };
  const request: WriteRequest = { kind: "put", ...item, id: value.id, ...options };
  const result = await asker.write(server, { op: "set", ...item, value, ...ttl }, [request]);
  if (wasAnswered(result)) asker.tally.checked(ttlMs === undefined ? "set" : "setWithTtl");
  return wasAnswered(result);
}

export async function removeOne(asker: Asker, server: ServerProcess, item: Item): Promise<void> {
  const request: WriteRequest = { kind: "remove", ...item, id: asker.recorder.nextId() };
  const result = await asker.write(server, { op: "delete", ...item }, [request]);
  if (wasAnswered(result)) asker.tally.checked("delete");
}

export async function forgetSome(
  asker: Asker,
  server: ServerProcess,
  { namespace, keys }: Space,
): Promise<void> {
  const requests = keys.map((key): WriteRequest => ({
    kind: "remove",
    namespace,
    key,
    id: asker.recorder.nextId(),
  }));
  const result = await asker.write(server, { op: "forget", namespace, keys }, requests);
  if (wasAnswered(result)) asker.tally.checked("forget");
}

export async function clearAll(
  asker: Asker,
  server: ServerProcess,
  { namespace, keys }: Space,
): Promise<void> {
  const requests = keys.map((key): WriteRequest => ({
    kind: "remove",
    namespace,
    key,
    id: asker.recorder.nextId(),
  }));
  const result = await asker.write(server, { op: "clear", namespace }, requests);
  if (wasAnswered(result)) asker.tally.checked("clear");
}

/** One step a key, on distinct keys. */
export async function runBatch(
  asker: Asker,
  server: ServerProcess,
  batch: {
    readonly namespace: string;
    readonly steps: readonly Pick<BatchStep, "type" | "key">[];
    readonly atomic: boolean;
  },
): Promise<void> {
  const { namespace, atomic } = batch;
  const steps = batch.steps.map(({ type, key }): BatchStep =>
    type === "set" ? { type, key, value: asker.newValue() } : { type, key },
  );
  const changing = steps.filter(({ type }) => type !== "get");
  const requests = changing.map((step): WriteRequest => {
    const id = step.type === "set" ? step.value.id : asker.recorder.nextId();
    return { kind: step.type === "set" ? "put" : "remove", namespace, key: step.key, id };
  });
  const indexes = changing.map((step) => steps.indexOf(step));
  const settle = (
    { steps: done }: Answer,
    index: number,
  ): ReturnType<typeof outcomeOf> | number | undefined => {
    const step = done?.[indexes[index] ?? -1];
    return step?.errorCode === undefined ? step?.version : outcomeOf(step.errorCode);
  };
  const result = await asker.write(
    server,
    { op: "batch", namespace, steps, atomic },
    requests,
    settle,
  );
  if (wasAnswered(result)) recordGets(asker, result, namespace, steps);
}

function recordGets(
  asker: Asker,
  asked: Asked,
  namespace: string,
  steps: readonly BatchStep[],
): void {
  asker.tally.checked("batch");
  for (const [index, step] of steps.entries()) {
    const answer = asked.answer.steps?.[index];
    if (step.type !== "get" || answer === undefined || answer.errorCode !== undefined) continue;
    const read = { key: itemName(namespace, step.key), mode: "any", session: undefined } as const;
    asker.read(asked, read, answer.shown);
  }
}

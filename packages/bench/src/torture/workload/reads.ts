import type { ServerProcess } from "../servers/server-process.ts";
import type { Asker } from "./asker.ts";
import { itemName } from "./keyspace.ts";
import type { Space } from "./keyspace.ts";

export async function readOne(
  asker: Asker,
  server: ServerProcess,
  item: { readonly namespace: string; readonly key: string },
  consistency: "any" | "latest" = "any",
): Promise<void> {
  const asked = await asker.ask(server, { op: "get", ...item, consistency });
  if (asked === undefined) return;
  const read = { key: itemName(item.namespace, item.key), mode: consistency, session: undefined };
  asker.read(asked, read, asked.answer.shown);
  asker.tally.checked(consistency);
}

/** What is at hand; nothing at hand says nothing. */
export async function peekOne(
  asker: Asker,
  server: ServerProcess,
  item: { readonly namespace: string; readonly key: string },
): Promise<void> {
  const asked = await asker.ask(server, { op: "peek", ...item });
  if (asked?.answer.shown === undefined) return;
  const read = {
    key: itemName(item.namespace, item.key),
    mode: "any",
    session: undefined,
  } as const;
  asker.read(asked, read, asked.answer.shown);
  asker.tally.checked("peek");
}

export async function readMany(
  asker: Asker,
  server: ServerProcess,
  { namespace, keys }: Space,
  consistency: "any" | "latest" = "any",
): Promise<void> {
  const asked = await asker.ask(server, { op: "getMany", namespace, keys, consistency });
  if (asked === undefined) return;
  for (const [index, key] of keys.entries()) {
    const read = { key: itemName(namespace, key), mode: consistency, session: undefined };
    asker.read(asked, read, asked.answer.many?.[index] ?? undefined);
  }
  asker.tally.checked("getMany");
}

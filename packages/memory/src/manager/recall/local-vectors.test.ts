import { expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { EphemeralStore } from "../ephemeral-store.ts";
import { LocalVectors } from "./local-vectors.ts";

const VECTOR = Float32Array.of(0.6, 0.8);

function vectors(): { readonly clock: ManualClock; readonly store: LocalVectors } {
  const clock = new ManualClock();
  const ephemeral = new EphemeralStore({ maxBytes: 100_000, clock });
  const store = new LocalVectors({ store: ephemeral, dimensions: 2, ttlSeconds: 60, clock });
  return { clock, store };
}

async function keep(store: LocalVectors, namespace: string): Promise<void> {
  const looked = await store.lookUp(namespace, ["id"]);
  await looked.keep([{ id: "id", vector: VECTOR }]);
}

async function find(store: LocalVectors, namespace: string): Promise<Float32Array | undefined> {
  return (await store.lookUp(namespace, ["id"])).found[0];
}

test("a vector is found in its namespace until its time is over", async () => {
  const { clock, store } = vectors();
  await keep(store, "a");
  expect(await find(store, "a")).toEqual(VECTOR);
  expect(await find(store, "b")).toBeUndefined();
  await clock.advance(59_999);
  expect(await find(store, "a")).toEqual(VECTOR);
  await clock.advance(1);
  expect(await find(store, "a")).toBeUndefined();
});

test("forgetting ends exactly a namespace, or also what is below it", async () => {
  const { store } = vectors();
  const all = ["users/1", "users/1/a", "users/10"];
  const left = async (): Promise<readonly boolean[]> =>
    Promise.all(all.map(async (namespace) => (await find(store, namespace)) !== undefined));
  for (const namespace of all) await keep(store, namespace);
  await store.forget("users/1", false);
  expect(await left()).toEqual([false, true, true]);
  await keep(store, "users/1");
  await store.forget("users/1", true);
  expect(await left()).toEqual([false, false, true]);
});

test("what was forgotten while its vector was made does not come back with it", async () => {
  const { store } = vectors();
  const looked = await store.lookUp("a", ["id"]);
  await store.forget("a", false);
  await looked.keep([{ id: "id", vector: VECTOR }]);
  expect(await find(store, "a")).toBeUndefined();
});

import { expect, onTestFinished, test } from "vitest";
import { BatchingEmbedder } from "../../recall/embedding/batching-embedder.ts";
import { FakeEmbeddingSource } from "../../testing/fake-embedding-source.ts";
import type { RecallEmbedder } from "./open-recall-embedder.ts";
import { UnifiedMemoryManager } from "../unified-memory-manager.ts";

class Memory extends UnifiedMemoryManager {
  get embedding(): RecallEmbedder {
    return this.runtime.parts.embedding;
  }
}

async function opened(): Promise<{
  readonly memory: Memory;
  readonly source: FakeEmbeddingSource;
}> {
  const source = new FakeEmbeddingSource();
  const memory = new Memory({ dataDir: ":memory:" }, { embedder: new BatchingEmbedder(source) });
  await memory.initialize();
  onTestFinished(() => memory.close());
  return { memory, source };
}

test("forget and clear end what is cached for their namespace, a dry run does not; close closes", async () => {
  const { memory, source } = await opened();
  const scope = memory.namespace(["acme"]);
  const calls = async (): Promise<number> => {
    await memory.embedding.embedder.embed(["text"], { kind: "passage", namespace: "acme" });
    // Kept without being waited for.
    await Promise.resolve();
    return source.calls.length;
  };
  expect(await calls()).toBe(1);
  expect(await calls()).toBe(1);
  await scope.forget({ pattern: "*", dryRun: true });
  expect(await calls()).toBe(1);
  await scope.forget({ pattern: "*" });
  expect(await calls()).toBe(2);
  await memory.namespace(["other"]).clear();
  expect(await calls()).toBe(2);
  await scope.clear();
  expect(await calls()).toBe(3);
  await memory.close();
  expect(source.isClosed).toBe(true);
});

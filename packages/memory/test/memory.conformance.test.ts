import { afterAll, beforeAll, describe, test } from "vitest";
import { describeWithPostgres, testDatabase } from "@cherry-ai/services/vitest";
import type { PartialConfig } from "../src/config/resolve.ts";
import type { MemoryManager } from "../src/manager/memory.ts";
import { UnifiedMemoryManager } from "../src/manager/unified-memory-manager.ts";
import { memorySuite, registerSuite } from "../src/testing/index.ts";
import { QUIET } from "./support/managers.ts";

interface Setup {
  readonly name: string;
  readonly ephemeral: boolean;
  readonly config: () => Promise<PartialConfig>;
}

/** One manager for all cases: each keeps to a namespace of its own. */
function registerOver({ name, ephemeral, config }: Setup): void {
  let memory: MemoryManager;
  beforeAll(async () => {
    memory = new UnifiedMemoryManager({ ...QUIET, ...(await config()) });
    await memory.initialize();
  });
  afterAll(() => memory?.close());
  const open = async (): Promise<{ memory: MemoryManager; close: () => Promise<void> }> => ({
    memory,
    close: async () => {},
  });
  registerSuite(memorySuite(name, { open, ephemeral }), { describe, test });
}

describe("embedded", () => {
  registerOver({
    name: "all copies on PGlite",
    ephemeral: true,
    config: async () => ({ dataDir: ":memory:" }),
  });
});

describeWithPostgres("server", () => {
  describe("usual", () => {
    registerOver({
      name: "all copies on PostgreSQL",
      ephemeral: false,
      config: async () => ({ tiers: { L3: { url: await testDatabase() } } }),
    });
  });

  describe("bare", () => {
    const off = { enabled: false, maxSizeMb: 1, maxItems: 1 };
    registerOver({
      name: "no copies on PostgreSQL, encrypted",
      ephemeral: false,
      config: async () => ({
        tiers: { L0: off, L1: off, L3: { url: await testDatabase() } },
        security: { encryptionKeys: [`one:${Buffer.alloc(32, 7).toString("base64")}`] },
      }),
    });
  });
});

import { postgresAvailable, redisAvailable } from "@cherry-ai/services";
import { describe, expect, test } from "vitest";
import { FAULTS } from "../faults/faults.ts";
import { runTorture } from "../run.ts";
import { MIX } from "../workload/worker.ts";
import { MIXED } from "./subjects.ts";

const missing = postgresAvailable() ?? redisAvailable();

describe.skipIf(missing !== undefined)("servers of two releases", () => {
  test("keep every promise together, while each is replaced by the other", async () => {
    const { violations, examples, problems, operations } = await runTorture({
      subject: MIXED,
      servers: 3,
      seconds: 10,
      seed: 11,
      withRedis: true,
      boundMs: 1000,
      faults: FAULTS.filter(({ name }) => ["killServer", "killBus", "pauseServer"].includes(name)),
      workers: 12,
      mix: { ...MIX, session: 30 },
      restMsMax: 5,
      calmMs: [100, 300],
      progress: () => {},
    });
    const total = Object.values(violations).reduce((sum, count) => sum + count, 0);
    expect({ total, examples, problems }).toEqual({ total: 0, examples: [], problems: [] });
    expect(operations).toBeGreaterThan(0);
  });
});

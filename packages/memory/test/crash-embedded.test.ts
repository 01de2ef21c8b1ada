import { describe, test } from "vitest";
import { temporaryFolder } from "@cherry-ai/services";
import { crashAgainAndAgain } from "./support/crash-rounds.ts";
import { QUIET } from "./support/managers.ts";

const ROUNDS = 50;
const TIMEOUT_MS = 300_000;

describe("a server on an embedded database, killed while it writes", () => {
  test(
    `keeps every acknowledged write and delete, ${ROUNDS} times`,
    async () => {
      const folder = temporaryFolder("crash");
      try {
        await crashAgainAndAgain({ ...QUIET, dataDir: folder.path }, ROUNDS);
      } finally {
        folder.remove();
      }
    },
    TIMEOUT_MS,
  );
});

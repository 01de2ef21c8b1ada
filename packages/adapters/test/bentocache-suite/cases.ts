import type { BaseDriver } from "bentocache/drivers/base_driver";
import { registerCacheDriverTestSuite } from "bentocache/test_suite";
import { test } from "@japa/runner";
import { CherryDriver } from "../../src/bentocache.ts";
import { openMemory } from "../support.ts";

/** Imported by the runner that `main.ts` starts, whose argument is the database's URL, if any. */
const memory = await openMemory(process.argv[2]);

test.group("bentocache's cases for drivers", (group) => {
  group.setup(() => () => memory.close());
  registerCacheDriverTestSuite({
    test,
    group,
    supportsMilliseconds: true,
    createDriver: (options): CherryDriver & BaseDriver =>
      new CherryDriver({ memory, prefix: "japa", ...options }),
  });
});

import { expect, test } from "vitest";
import { intercept } from "../../src/testing/intercept.ts";
import type { AuthorityTier, ExportPageRequest } from "../../src/tiers/authority.ts";
import { openManager } from "../support/managers.ts";
import { describeBoth, put } from "./support.ts";

/** Gives one item a page, as where bodies are huge. */
function withShortPages(authority: AuthorityTier): AuthorityTier {
  return intercept(authority, new Set(["exportPage"]), (_, __, [request]) =>
    authority.exportPage({ ...(request as ExportPageRequest), limit: 1 }),
  );
}

describeBoth("an export", (late) => {
  test("goes on after short pages", async () => {
    const { authority } = late.rig;
    const writing = await openManager(authority, "none");
    const keys = ["a", "b", "c"];
    for (const key of keys) await writing.namespace("short").set(key, key);
    await authority.write([put("other", { namespace: "short0" })]);
    await writing.close();
    const memory = await openManager(withShortPages(authority), "none");
    const found: string[] = [];
    for await (const line of memory.namespace("short").exportItems()) found.push(line.key);
    expect(found).toEqual(keys);
    await memory.close();
  });
});

import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Change, FollowPoll } from "../../../../memory/src/tiers/authority.ts";
import { PostgresAuthority } from "../../../../memory/src/tiers/postgres/authority.ts";
import type { BreakContext } from "./broken.ts";
import { patch } from "./patch.ts";

const CHANNEL = "torture-broken-bus";
/** Between the commit and its announcement; a writer may die there. */
const ANNOUNCE_AFTER_MS = 30;

/**
 * What the peers do: invalidations over publish/subscribe, and copies are believed as long as the
 * process lives. What was published while nobody listened is never missed.
 */
export function busInsteadOfLog({ redisUrl }: BreakContext): void {
  if (redisUrl === undefined) throw new Error("a bus needs Redis");
  const options = { maxRetriesPerRequest: null, enableOfflineQueue: true };
  const publisher = new Redis(redisUrl, options);
  const subscriber = new Redis(redisUrl, options);
  for (const client of [publisher, subscriber])
    client.on("error", () => {
      // It connects again by itself, which is all that such a cache knows.
    });
  const heard: Change[] = [];
  subscriber.on("message", (_, text: string) => heard.push(JSON.parse(text) as Change));
  void subscriber.subscribe(CHANNEL);
  let first: FollowPoll | undefined;
  patch(PostgresAuthority.prototype, "follow", (right) => {
    return async function follow(this: PostgresAuthority, state) {
      first ??= await right.call(this, state);
      return { ...first, sentAtMs: performance.now(), changes: heard.splice(0) };
    };
  });
  patch(PostgresAuthority.prototype, "write", (right) => {
    return async function write(this: PostgresAuthority, operations, writeOptions) {
      const results = await right.call(this, operations, writeOptions);
      await sleep(ANNOUNCE_AFTER_MS);
      for (const [index, { namespace, key }] of operations.entries()) {
        const result = results[index];
        if (result?.status !== "written") continue;
        const change = { id: 0, namespace, key, version: result.version, op: "put", atMs: 0 };
        publisher.publish(CHANNEL, JSON.stringify(change)).catch(() => {
          // It was written; that nobody hears of it is not seen here.
        });
      }
      return results;
    };
  });
}

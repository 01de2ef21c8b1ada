import { PostgresAuthority } from "../../../../memory/src/tiers/postgres/authority.ts";
import { patch } from "./patch.ts";

/** Changes that were missed are not missed. */
export function noFlushOnGap(): void {
  patch(PostgresAuthority.prototype, "follow", (right) => {
    return async function follow(this: PostgresAuthority, state) {
      return { ...(await right.call(this, state)), gap: false };
    };
  });
}

/** A poll that failed is not asked for again: following goes on from now. */
export function noOutboxRetry(): void {
  let hasFailed = false;
  patch(PostgresAuthority.prototype, "follow", (right) => {
    return async function follow(this: PostgresAuthority, state) {
      try {
        const poll = await right.call(this, hasFailed ? undefined : state);
        hasFailed = false;
        return poll;
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    };
  });
}

/** A cleared namespace is no change. */
export function deafToClears(): void {
  patch(PostgresAuthority.prototype, "follow", (right) => {
    return async function follow(this: PostgresAuthority, state) {
      const poll = await right.call(this, state);
      return { ...poll, changes: poll.changes.filter(({ op }) => op !== "clear") };
    };
  });
}

/** How long what is not an item is kept. */
export interface Retention {
  /** A deleted item's last version stays known; longer than any copy of it can be served. */
  readonly tombstoneSeconds: number;
  /** Changes that every consumer has read. */
  readonly changeSeconds: number;
  /** Changes in any case; a consumer further behind must start again from the items. */
  readonly outboxMaxRows: number;
  readonly idempotencySeconds: number;
  readonly finishedJobSeconds: number;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

export const DEFAULT_RETENTION: Retention = Object.freeze({
  tombstoneSeconds: 2 * HOUR,
  changeSeconds: DAY,
  outboxMaxRows: 1_000_000,
  idempotencySeconds: DAY,
  finishedJobSeconds: 7 * DAY,
});

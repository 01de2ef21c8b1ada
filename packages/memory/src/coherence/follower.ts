import type { Clock } from "../model/clock.ts";
import type { AuthorityTier, Change, FollowState } from "../tiers/authority.ts";
import type { Copies } from "./copies.ts";
import type { Validity } from "./validity.ts";

/** The log is read at least this often within one staleness bound, so that one lost poll is harmless. */
const POLLS_PER_BOUND = 3;
const POLL_MS_MIN = 20;

export interface FollowerOptions {
  readonly authority: Pick<AuthorityTier, "follow">;
  readonly copies: Copies;
  readonly validity: Validity;
  readonly clock: Clock;
  /** Told of a failed poll; copies simply run out of validity meanwhile. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Reads the committed change log and takes away every copy that a change made old; each completed
 * poll proves the rest current as of the moment it was sent.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  #state: FollowState | undefined;
  #epoch: string | undefined;
  #loop: Promise<void> | undefined;
  #polling: Promise<void> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Resolves after the first proof. */
  async start(): Promise<void> {
    await this.poll();
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    await this.#loop;
  }

  /** One round trip; concurrent callers share it. */
  poll(): Promise<void> {
    this.#polling ??= this.#pollOnce().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  async #pollOnce(): Promise<void> {
    const { authority, copies, validity } = this.#options;
    const first = this.#state === undefined;
    const poll = await authority.follow(this.#state);
    const epochChanged = this.#epoch !== undefined && poll.epoch !== this.#epoch;
    if (poll.gap || epochChanged || first) copies.flush();
    for (const change of poll.changes) this.#apply(change);
    this.#state = poll.state;
    this.#epoch = poll.epoch;
    validity.prove(poll.sentAtMs);
  }

  #apply(change: Change): void {
    const { copies } = this.#options;
    if (change.op === "clear") copies.invalidateNamespace(change.namespace, change.below ?? true);
    else copies.invalidate(change, change.version);
  }

  async #run(): Promise<void> {
    const { clock, validity, onError } = this.#options;
    const intervalMs = Math.max(POLL_MS_MIN, validity.boundMs / (POLLS_PER_BOUND + 1));
    while (!this.#stop.signal.aborted) {
      try {
        await clock.sleep(intervalMs, this.#stop.signal);
        await this.poll();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        onError?.(error);
      }
    }
  }
}

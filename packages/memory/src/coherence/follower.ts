import type { Clock } from "../model/clock.ts";
import type { AuthorityTier, Change, FollowState } from "../tiers/authority.ts";
import type { Copies } from "./copies.ts";
import { placesOf } from "./log-place.ts";
import type { SnapshotPlaces } from "./log-place.ts";
import type { RecentChanges } from "./recent-changes.ts";
import type { Validity } from "./validity.ts";

/** The log is read at least this often within one staleness bound, so that one lost poll is harmless. */
const POLLS_PER_BOUND = 3;
const POLL_MS_MIN = 20;

export interface FollowerOptions {
  readonly authority: Pick<AuthorityTier, "follow">;
  readonly copies: Copies;
  readonly validity: Validity;
  readonly clock: Clock;
  /** Told of all changes, where copies outside this process are judged by them. */
  readonly recent?: RecentChanges;
  /** Told when the epoch is known and whenever it changes. */
  readonly onEpoch?: (epoch: string) => void;
  /** Told of each poll once its changes are applied. */
  readonly onApplied?: (poll: AppliedPoll) => void;
  /** Told of a failed poll; copies simply run out of validity meanwhile. */
  readonly onError?: (error: unknown) => void;
}

/** What an applied poll saw of the log. */
export interface AppliedPoll extends SnapshotPlaces {
  /** Monotonic time at which it was sent. */
  readonly sentAtMs: number;
  readonly epoch: string;
  /** The database's own words for what it saw. */
  readonly snapshot: string;
}

/**
 * Reads the committed change log and takes away every copy that a change made old; each completed
 * poll proves the rest current as of the moment it was sent.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  #state: FollowState | undefined;
  #applied: AppliedPoll | undefined;
  #loop: Promise<void> | undefined;
  #polling: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** The last poll whose changes are all applied here; undefined before the first. */
  get applied(): AppliedPoll | undefined {
    return this.#applied;
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

  /**
   * Resolves after a poll that was sent after this call: it shows all that anybody may have seen
   * before. A poll under way was sent earlier and does not count; callers that wait for it share the next.
   */
  refresh(): Promise<void> {
    if (this.#polling === undefined) return this.poll();
    const pollAnew = (): Promise<void> => {
      this.#refreshing = undefined;
      return this.poll();
    };
    this.#refreshing ??= this.#polling.then(pollAnew, pollAnew);
    return this.#refreshing;
  }

  async #pollOnce(): Promise<void> {
    const { authority, copies, validity, recent, onEpoch, onApplied } = this.#options;
    const poll = await authority.follow(this.#state);
    const places = placesOf(poll.state.snapshot);
    const isOtherEpoch = poll.epoch !== this.#applied?.epoch;
    if (isOtherEpoch) onEpoch?.(poll.epoch);
    if (poll.gap || isOtherEpoch) {
      copies.flush();
      recent?.restart(places.unborn);
    } else recent?.advance(places.unborn);
    for (const change of poll.changes) this.#apply(change);
    this.#state = poll.state;
    const { sentAtMs, epoch } = poll;
    const applied = { ...places, sentAtMs, epoch, snapshot: poll.state.snapshot };
    this.#applied = applied;
    validity.prove(sentAtMs);
    onApplied?.(applied);
  }

  #apply(change: Change): void {
    const { copies, recent } = this.#options;
    const { namespace, version } = change;
    if (change.op === "clear") {
      const below = change.below ?? true;
      recent?.noteClear({ namespace, below, version });
      copies.invalidateNamespace(namespace, below);
    } else {
      recent?.note(change, version);
      copies.invalidate(change, version);
    }
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

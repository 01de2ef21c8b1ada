import { MemoryError } from "../model/errors.ts";
import type { ItemRef } from "../model/item.ts";
import type { AppliedPoll, Follower } from "./follower.ts";
import { horizonOf } from "./horizon.ts";
import type { Horizon } from "./horizon.ts";
import type { RecentFills } from "./recent-fills.ts";
import { epochHash } from "./session-hash.ts";
import { decodeSession, encodeSession } from "./session-token.ts";
import type { Demands } from "./session-token.ts";
import { ExclusiveSession, FollowedSession } from "./session.ts";
import type { Session, Sight } from "./session.ts";

const NO_VERSIONS: ReadonlyMap<number, number> = new Map();

interface Shown {
  readonly epoch: number;
  readonly horizon: Horizon;
}

/** Opens sessions, and makes the tokens of those that have none yet. */
export class Sessions implements Sight {
  readonly #fills: RecentFills | undefined;
  #follower: Pick<Follower, "applied" | "refresh"> | undefined;
  #exclusive: Session | undefined;
  #read: { readonly poll: AppliedPoll; readonly shown: Shown } | undefined;
  #covered: { readonly epoch: number; readonly floor: Horizon; readonly token: string } | undefined;

  /** `fills`: absent where nobody else writes. */
  constructor(fills: RecentFills | undefined) {
    this.#fills = fills;
  }

  /** Copies are proven by this follower, which tells `fills` of each applied poll. */
  follow(follower: Pick<Follower, "applied" | "refresh">): void {
    this.#follower = follower;
  }

  /** Nobody else writes, so no session ever has to wait. */
  proveForever(epoch: string): void {
    const demands = { epoch: epochHash(epoch), floor: undefined, versions: NO_VERSIONS };
    this.#exclusive = new ExclusiveSession(mustFit(demands));
  }

  /** Goes on with the session of a token, or begins one. INVALID_SESSION when it is none. */
  open(token?: string): Session {
    // Also where it demands nothing: a client that damages tokens should learn of it in its tests.
    const demands = token === undefined ? undefined : decodeSession(token);
    if (this.#exclusive !== undefined) return this.#exclusive;
    const epoch = this.shown()?.epoch ?? 0;
    if (demands !== undefined) return new FollowedSession(this, demands, token);
    // A token of another release demands what we cannot read: everything, to be sure.
    const floor = token === undefined ? undefined : "everything";
    return new FollowedSession(this, { epoch, floor, versions: NO_VERSIONS });
  }

  /** The token of a session whose only operation was a read that has shown this version, or no item. */
  tokenOf(ref: ItemRef, version: number | undefined): string {
    if (this.#exclusive !== undefined) return this.#exclusive.token;
    const bound = version === undefined ? undefined : this.boundOf(ref);
    if (bound !== undefined) return this.#covering(bound);
    const session = this.open();
    session.saw(ref, version, session.begin());
    return session.token;
  }

  /** The same for all copies until the next generation of fills: most reads pay no encoding. */
  #covering(floor: Horizon): string {
    const epoch = this.shown()?.epoch ?? 0;
    if (this.#covered?.floor !== floor || this.#covered.epoch !== epoch)
      this.#covered = { epoch, floor, token: mustFit({ epoch, floor, versions: NO_VERSIONS }) };
    return this.#covered.token;
  }

  shown(): Shown | undefined {
    const poll = this.#follower?.applied;
    if (poll === undefined) return undefined;
    if (this.#read?.poll !== poll)
      this.#read = {
        poll,
        shown: { epoch: epochHash(poll.epoch), horizon: horizonOf(poll.snapshot) },
      };
    return this.#read.shown;
  }

  refresh(): Promise<void> {
    if (this.#follower !== undefined) return this.#follower.refresh();
    return Promise.reject(new MemoryError("NOT_INITIALIZED", "the log is not followed yet"));
  }

  boundOf(ref: ItemRef): Horizon | undefined {
    return this.#fills?.has(ref) === false ? this.#fills.covered : undefined;
  }
}

function mustFit(demands: Demands): string {
  const token = encodeSession(demands);
  if (token === undefined) throw new MemoryError("INTERNAL", "a short token did not fit");
  return token;
}

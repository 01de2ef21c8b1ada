import type { Scheduler } from "./scheduler.ts";
import type { DatabaseState, Effects } from "./database-state.ts";

/** How a transaction ended for who waits for it; "lost": it is not told, and may have committed. */
export type Ended<T> = { readonly answer: T } | { readonly ended: "lost" };

export interface Work<T> {
  /** Rows it locks, by id. A clear takes all instead. */
  readonly locks: readonly string[] | "everything";
  /** Decides under the locks what it will do. */
  readonly decide: (xid: number) => { readonly effects: Effects | undefined; readonly answer: T };
  readonly done: (ended: Ended<T>) => void;
}

interface Running {
  readonly xid: number;
  readonly locks: readonly string[] | "everything";
  held: number;
  effects: Effects | undefined;
  /** Runs once it holds all its locks. */
  readonly run: () => void;
  readonly lose: () => void;
}

const FIRST_XID = 700;
/** How far the counters of two clusters are apart. */
const XIDS_APART_MAX = 1000;
/** Of transactions that commit although the crash kept the answer back. */
const FLUSHED_SHARE = 0.3;

/**
 * Transactions under the locks of PostgreSQL: ids are drawn when one begins, rows are locked one
 * after another, what is decided becomes visible at the commit, in any order of ids.
 */
export class Transactions {
  readonly #scheduler: Scheduler;
  readonly #state: DatabaseState;
  readonly #commitMs: () => number;
  readonly #running = new Set<Running>();
  readonly #foreign = new Set<number>();
  readonly #holders = new Map<string, Running>();
  readonly #waiting = new Map<string, Running[]>();
  #writers = 0;
  #clearing: Running | undefined;
  #queue: Running[] = [];
  #nextXid = FIRST_XID;

  constructor(scheduler: Scheduler, state: DatabaseState, commitMs: () => number) {
    this.#scheduler = scheduler;
    this.#state = state;
    this.#commitMs = commitMs;
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  get snapshot(): { readonly xmin: number; readonly xmax: number; readonly open: number[] } {
    const open = [...this.#foreign];
    for (const { xid } of this.#running) open.push(xid);
    open.sort((a, b) => a - b);
    return { xmin: open[0] ?? this.#nextXid, xmax: this.#nextXid, open };
  }

  begin<T>({ locks, decide, done }: Work<T>): void {
    const running: Running = {
      xid: this.#draw(),
      locks: locks === "everything" ? locks : locks.toSorted(),
      held: 0,
      effects: undefined,
      run: () => {
        const { effects, answer } = decide(running.xid);
        running.effects = effects;
        this.#scheduler.after(this.#commitMs(), () => {
          if (!this.#running.has(running)) return;
          this.#end(running);
          if (effects !== undefined) this.#state.apply(effects);
          done({ answer });
        });
      },
      lose: () => done({ ended: "lost" }),
    };
    this.#running.add(running);
    this.#queue.push(running);
    this.#admit();
  }

  /** Somebody else's transaction in the same cluster. It holds back what is settled, no more. */
  openForeign(forMs: number): void {
    const xid = this.#draw();
    this.#foreign.add(xid);
    this.#scheduler.after(forMs, () => this.#foreign.delete(xid));
  }

  /**
   * The server dies: what had not committed is gone, and ids of which nothing was flushed will be
   * given again. The last visible change was.
   */
  crash(): void {
    const { random } = this.#scheduler;
    for (const running of this.#running) {
      const isFlushed = running.effects !== undefined && random() < FLUSHED_SHARE;
      if (isFlushed && running.effects !== undefined) this.#state.apply(running.effects);
      running.lose();
    }
    this.#running.clear();
    this.#foreign.clear();
    this.#holders.clear();
    this.#waiting.clear();
    this.#queue = [];
    this.#clearing = undefined;
    this.#writers = 0;
    const surely = Math.max(this.#state.lastXid + 1, FIRST_XID);
    const isAllLost = random() < 0.5;
    this.#nextXid = isAllLost
      ? surely
      : surely + Math.floor(random() * (this.#nextXid - surely + 1));
  }

  /** Another cluster's counter, after a restore: anywhere. */
  restart(): void {
    this.#nextXid = FIRST_XID + Math.floor(this.#scheduler.random() * XIDS_APART_MAX);
  }

  #draw(): number {
    const xid = this.#nextXid;
    this.#nextXid += 1;
    return xid;
  }

  /** In turn: a clear waits for all before it, and all after it wait for the clear. */
  #admit(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.#clearing !== undefined) return;
      if (next.locks === "everything") {
        if (this.#writers > 0) return;
        this.#clearing = next;
      } else this.#writers += 1;
      this.#queue.shift();
      this.#advance(next);
    }
  }

  #advance(running: Running): void {
    const { locks } = running;
    if (locks !== "everything")
      for (let id = locks[running.held]; id !== undefined; id = locks[running.held]) {
        const holder = this.#holders.get(id);
        if (holder !== undefined && holder !== running) {
          const waiting = this.#waiting.get(id);
          if (waiting === undefined) this.#waiting.set(id, [running]);
          else waiting.push(running);
          return;
        }
        this.#holders.set(id, running);
        running.held += 1;
      }
    running.run();
  }

  #end(running: Running): void {
    this.#running.delete(running);
    // Who waits goes on after the commit is visible, but within this moment.
    this.#scheduler.after(0, () => this.#release(running));
  }

  #release(running: Running): void {
    if (running.locks === "everything") {
      if (this.#clearing === running) this.#clearing = undefined;
    } else {
      this.#writers = Math.max(0, this.#writers - 1);
      for (const id of running.locks) {
        if (this.#holders.get(id) !== running) continue;
        this.#holders.delete(id);
        const next = this.#waiting.get(id)?.shift();
        if (next !== undefined && this.#running.has(next)) this.#advance(next);
      }
    }
    this.#admit();
  }
}

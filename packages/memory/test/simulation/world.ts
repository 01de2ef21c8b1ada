import { seededRandom } from "../../src/testing/seeded-random.ts";
import { Checker } from "./checker.ts";
import { History } from "./history.ts";
import { Link } from "./link.ts";
import { planOf } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { Scheduler } from "./scheduler.ts";
import { SimulatedDatabase } from "./simulated-database.ts";
import { SimulatedRedis } from "./simulated-redis.ts";
import { SimulatedServer } from "./simulated-server.ts";

/** Messages of the bus that are heard twice. */
const REPEAT_SHARE = 0.1;

export interface WorldOptions {
  readonly seed: number;
  readonly trace?: (line: string) => void;
}

/** Everything that one seed makes: servers over one database and perhaps one Redis, and who judges. */
export class World {
  readonly scheduler: Scheduler;
  readonly plan: Plan;
  readonly history: History;
  readonly checker: Checker;
  readonly database: SimulatedDatabase;
  readonly redis: SimulatedRedis | undefined;
  readonly servers: readonly SimulatedServer[];

  constructor({ seed, trace }: WorldOptions) {
    const random = seededRandom(seed);
    const scheduler = new Scheduler(random, trace);
    const plan = planOf(random);
    this.scheduler = scheduler;
    this.plan = plan;
    this.history = new History(scheduler);
    this.checker = new Checker(this.history, scheduler, plan.boundMs);
    const commits = new Link(scheduler, plan.commitMs);
    this.database = new SimulatedDatabase({
      scheduler,
      listener: this.history,
      commitMs: () => commits.delayMs(),
      followMax: plan.followMax,
      tombstoneMs: plan.tombstoneMs,
    });
    this.redis = plan.withRedis
      ? new SimulatedRedis({ scheduler, listener: this.history, repeatShare: REPEAT_SHARE })
      : undefined;
    this.servers = Array.from(
      { length: plan.servers },
      (_, index) => new SimulatedServer(this, index),
    );
  }

  heal(): void {
    this.database.heal();
    this.redis?.heal();
    for (const server of this.servers) server.heal();
  }
}

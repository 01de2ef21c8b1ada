import type { SimulatedServer } from "./simulated-server.ts";
import type { World } from "./world.ts";

interface Fault {
  readonly name: string;
  readonly needsRedis?: true;
  readonly happen: (world: World) => void;
}

function anyServer({ servers, scheduler }: World): SimulatedServer {
  const server = servers[Math.floor(scheduler.random() * servers.length)];
  if (server === undefined) throw new Error("there is no server");
  return server;
}

/** Up to so many bounds. */
function bounds({ scheduler, plan }: World, most: number): number {
  return plan.boundMs * most * scheduler.random();
}

/** After so many ids that nobody keeps the database dies within this share of the bound. */
const IDS_LOST = 30;
const CRASH_WITHIN_BOUNDS = 0.15;
const DOWN_BOUNDS = 0.1;

export function rollBacksThenCrash(world: World): void {
  const { database, scheduler } = world;
  for (let times = 0; times < IDS_LOST; times += 1) database.transactions.openForeign(0);
  scheduler.after(bounds(world, CRASH_WITHIN_BOUNDS), () => {
    scheduler.trace(() => "FAULT: the database crashes, soon after");
    database.crash(bounds(world, DOWN_BOUNDS));
  });
}

const FAULTS: readonly Fault[] = [
  {
    name: "the database crashes",
    happen: (world) => world.database.crash(bounds(world, 1)),
  },
  {
    name: "the database was restored elsewhere",
    happen: ({ database }) => database.restore(),
  },
  {
    name: "the log is trimmed",
    happen: ({ database }) => void database.state.trim(database.state.changes.length),
  },
  {
    name: "somebody's transaction stays open",
    happen: (world) => world.database.transactions.openForeign(bounds(world, 4)),
  },
  {
    // So the ids that they had, and that followers have seen, are given again.
    name: "others draw transaction ids and roll back, and soon the database crashes",
    happen: rollBacksThenCrash,
  },
  {
    name: "a server loses the database",
    happen: (world) => anyServer(world).toDatabase.cut(bounds(world, 3)),
  },
  {
    name: "the database is slow for a server",
    happen: (world) => anyServer(world).toDatabase.slow(bounds(world, 4), bounds(world, 2)),
  },
  {
    name: "answers of the database are lost",
    happen: (world) => anyServer(world).toDatabase.lose(bounds(world, 3), 0.5),
  },
  {
    name: "a server stands still",
    happen: (world) => anyServer(world).process.pause(bounds(world, 3)),
  },
  {
    name: "a server dies",
    happen: (world) => anyServer(world).crash(bounds(world, 1)),
  },
  {
    name: "a server's wall clock is set",
    happen: (world) => anyServer(world).process.skewWall(bounds(world, 200) - bounds(world, 200)),
  },
  { name: "Redis is flushed", needsRedis: true, happen: ({ redis }) => redis?.flush() },
  { name: "Redis evicts", needsRedis: true, happen: ({ redis }) => redis?.evict(0.5) },
  {
    name: "Redis goes back in time",
    needsRedis: true,
    happen: (world) => {
      const { redis, scheduler } = world;
      const before = redis?.remember();
      scheduler.after(bounds(world, 2), () => {
        if (before === undefined) return;
        scheduler.trace(() => "FAULT: Redis has gone back");
        redis?.goBack(before);
      });
    },
  },
  {
    name: "Redis is away",
    needsRedis: true,
    happen: (world) => world.redis?.away(bounds(world, 3)),
  },
  {
    name: "a server loses Redis",
    needsRedis: true,
    happen: (world) => anyServer(world).toRedis.cut(bounds(world, 3)),
  },
  {
    name: "Redis is slow for a server",
    needsRedis: true,
    happen: (world) => anyServer(world).toRedis.slow(bounds(world, 4), bounds(world, 4)),
  },
  {
    name: "the bus is cut",
    needsRedis: true,
    happen: (world) => world.redis?.deafen(bounds(world, 3)),
  },
];

/** Spreads the plan's faults over the run. */
export function scheduleFaults(world: World): void {
  const { scheduler, plan } = world;
  const possible = FAULTS.filter(({ needsRedis }) => needsRedis !== true || plan.withRedis);
  for (let count = 0; count < plan.faults; count += 1) {
    const fault = possible[Math.floor(scheduler.random() * possible.length)];
    scheduler.after(plan.runMs * (0.1 + 0.85 * scheduler.random()), () => {
      scheduler.trace(() => `FAULT: ${fault?.name}`);
      fault?.happen(world);
    });
  }
}

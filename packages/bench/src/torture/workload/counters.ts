import type { ServerProcess } from "../servers/server-process.ts";
import { wasAnswered } from "./asker.ts";
import type { Asker, WriteRequest } from "./asker.ts";
import { SPACES, itemName } from "./keyspace.ts";
import { outcomeOf } from "./outcome.ts";

const { namespace } = SPACES.counted;

/** Counters that many increment at once, each by a compare-and-set. */
export class Counters {
  readonly #asker: Asker;
  readonly #counts = new Map<string, { acknowledged: number; unknown: number }>();

  constructor(asker: Asker) {
    this.#asker = asker;
    for (const key of SPACES.counted.keys) this.#counts.set(key, { acknowledged: 0, unknown: 0 });
  }

  /** Nobody counts before this. */
  async start(server: ServerProcess): Promise<boolean> {
    const done = await Promise.all(
      SPACES.counted.keys.map(async (key) => {
        const value = { ...this.#asker.newValue(), n: 0 };
        const request: WriteRequest = { kind: "put", namespace, key, id: value.id };
        const call = { op: "set", namespace, key, value } as const;
        return wasAnswered(await this.#asker.write(server, call, [request]));
      }),
    );
    return done.every(Boolean);
  }

  /** Reads the latest at one server and replaces it at another. */
  async increment(reader: ServerProcess, writer: ServerProcess, key: string): Promise<void> {
    const asked = await this.#asker.ask(reader, {
      op: "get",
      namespace,
      key,
      consistency: "latest",
    });
    const count = this.#counts.get(key);
    if (asked === undefined || count === undefined) return;
    const { shown } = asked.answer;
    const read = { key: itemName(namespace, key), mode: "latest", session: undefined } as const;
    this.#asker.read(asked, read, shown);
    if (shown?.n === undefined || shown.version === undefined) return;
    const value = { ...this.#asker.newValue(), n: shown.n + 1 };
    const replaces = shown.version;
    const request: WriteRequest = { kind: "put", namespace, key, id: value.id, replaces };
    const call = { op: "set", namespace, key, value, replaces } as const;
    const result = await this.#asker.write(writer, call, [request]);
    this.#asker.tally.checked("increment");
    if (wasAnswered(result)) count.acknowledged += 1;
    else if (outcomeOf(result.refusedAs) === "unknown") count.unknown += 1;
  }

  /** What they came to. */
  async finish(server: ServerProcess): Promise<void> {
    for (const [key, { acknowledged, unknown }] of this.#counts) {
      const asked = await this.#asker.ask(server, {
        op: "get",
        namespace,
        key,
        consistency: "latest",
      });
      this.#asker.recorder.counters.push({
        key: itemName(namespace, key),
        acknowledged,
        unknown,
        final: asked?.answer.shown?.n,
      });
    }
  }
}

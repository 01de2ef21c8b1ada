import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ANSWER_TIMEOUT_MS = 120_000;
const CLOSE_TIMEOUT_MS = 20_000;

/** Processes of one module that do the same at the same time: each answers each order with a message. */
export class Crew<Order, Answer> {
  readonly #members: readonly ChildProcess[];

  private constructor(members: readonly ChildProcess[]) {
    this.#members = members;
  }

  /** Resolves when all of them have said, by a first message, that they are ready. */
  static async start<Order, Answer>(
    module: URL,
    assignments: readonly unknown[],
  ): Promise<Crew<Order, Answer>> {
    const members = assignments.map((assignment) =>
      fork(fileURLToPath(module), [JSON.stringify(assignment)], {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      }),
    );
    const crew = new Crew<Order, Answer>(members);
    try {
      await Promise.all(members.map((member) => messageOf(member)));
      return crew;
    } catch (error) {
      await crew.close();
      throw error;
    }
  }

  /** Sends each its order, all at once; answers in the same order. */
  async ask(orders: readonly Order[]): Promise<readonly Answer[]> {
    return Promise.all(
      this.#members.map(async (member, index) => {
        const answer = messageOf(member);
        member.send(orders[index] as object);
        return (await answer) as Answer;
      }),
    );
  }

  /** They end when nobody is left to give orders. */
  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => end(member)));
  }
}

async function messageOf(member: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  try {
    const answer = once(member, "message", { signal });
    const exit = once(member, "exit", { signal }).then(([code]) => {
      throw new Error(`a process ended with ${code}`);
    });
    return ((await Promise.race([answer, exit])) as readonly unknown[])[0];
  } finally {
    over.abort();
  }
}

async function end(member: ChildProcess): Promise<void> {
  if (member.exitCode !== null || member.signalCode !== null) return;
  const exit = once(member, "exit", { signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) });
  if (member.connected) member.disconnect();
  await exit.catch(() => member.kill("SIGKILL"));
}

/** The other side: runs in a process of a crew. `work` answers each order. */
export function serve<Order, Answer>(
  work: (order: Order) => Promise<Answer>,
  close: () => Promise<void>,
): void {
  process.on("message", (order: Order) => {
    work(order).then(
      (answer) => process.send?.(answer),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.on("disconnect", () => {
    void close().finally(() => process.exit(0));
  });
  process.send?.("ready");
}

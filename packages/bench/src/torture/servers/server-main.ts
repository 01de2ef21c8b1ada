/** A server's process: one subject, asked over the channel to its parent. */
import type { Assignment, Call, FromServer, ToServer, Value } from "./protocol.ts";
import type { Loader, Subject } from "./subject.ts";
import { loadSubject } from "./subjects.ts";

function send(message: FromServer): void {
  if (process.connected) process.send?.(message);
}

/** Loaders that wait for the source. */
class Source {
  readonly #waiting = new Map<number, (value: Value) => void>();
  #lastId = 0;

  readonly load: Loader = (namespace, key) =>
    new Promise((resolve) => {
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, resolve);
      send({ kind: "load", id: this.#lastId, namespace, key });
    });

  loaded(id: number, value: Value): void {
    this.#waiting.get(id)?.(value);
    this.#waiting.delete(id);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return "INTERNAL";
}

async function answer(subject: Subject, id: number, call: Call): Promise<void> {
  try {
    if (call.op === "close") {
      await subject.close();
      process.exit(0);
    }
    if (call.op === "skewClock") {
      subject.skewClock(call.byMs);
      send({ kind: "answer", id, answer: {} });
      return;
    }
    send({ kind: "answer", id, answer: await subject.run(call) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    send({ kind: "failed", id, code: codeOf(error), message: message.slice(0, 300) });
  }
}

async function main(): Promise<void> {
  // Without its parent nobody asks: nothing may be left behind.
  process.on("disconnect", () => process.exit(1));
  const assignment = JSON.parse(process.argv[2] ?? "") as Assignment;
  const source = new Source();
  const factory = await loadSubject(assignment.subject);
  const subject = await factory(assignment, source.load);
  process.on("message", (message: ToServer) => {
    if (message.kind === "loaded") source.loaded(message.id, message.value);
    else void answer(subject, message.id, message.call);
  });
  send({ kind: "ready", sessions: subject.sessions });
}

await main();

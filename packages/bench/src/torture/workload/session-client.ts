import type { Random } from "@cherry-ai/memory";
import type { ServerProcess } from "../servers/server-process.ts";
import { wasAnswered } from "./asker.ts";
import type { Asked, Asker, WriteRequest } from "./asker.ts";
import { SPACES, itemName } from "./keyspace.ts";

/** Operations before a client begins another session. */
const OPERATIONS_MAX = 60;
const WRITE_SHARE = 0.35;
const REMOVE_SHARE = 0.3;
/** Reads of what the session has touched already: those are bound by it. */
const AGAIN_SHARE = 0.7;
const TOUCHED_MAX = 100;

/** One client whose session wanders over all servers, one operation at a time. */
export class SessionClient {
  readonly #asker: Asker;
  readonly #random: Random;
  #session = 0;
  #token = "";
  #left = 0;
  #touched: string[] = [];

  constructor(asker: Asker, random: Random) {
    this.#asker = asker;
    this.#random = random;
  }

  async step(server: ServerProcess): Promise<void> {
    if (this.#left === 0) this.#begin();
    this.#left -= 1;
    const { namespace } = SPACES.main;
    const key = this.#key();
    const asked =
      this.#random() < WRITE_SHARE
        ? await this.#write(server, { namespace, key })
        : await this.#read(server, { namespace, key });
    this.#token = asked?.answer.session ?? this.#token;
  }

  #begin(): void {
    this.#session = this.#asker.recorder.nextId();
    this.#token = "";
    this.#left = OPERATIONS_MAX;
    this.#touched = [];
  }

  #key(): string {
    const { keys } = SPACES.main;
    const isAgain = this.#touched.length > 0 && this.#random() < AGAIN_SHARE;
    const among = isAgain ? this.#touched : keys;
    const key = among[Math.floor(this.#random() * among.length)] ?? "k0";
    this.#touched = [...this.#touched.slice(1 - TOUCHED_MAX), key];
    return key;
  }

  async #read(
    server: ServerProcess,
    item: { readonly namespace: string; readonly key: string },
  ): Promise<Asked | undefined> {
    const call = { op: "get", ...item, consistency: "session", session: this.#token } as const;
    const asked = await this.#asker.ask(server, call);
    if (asked === undefined) return undefined;
    const key = itemName(item.namespace, item.key);
    this.#asker.read(asked, { key, mode: "session", session: this.#session }, asked.answer.shown);
    this.#asker.tally.checked("session");
    return asked;
  }

  async #write(
    server: ServerProcess,
    item: { readonly namespace: string; readonly key: string },
  ): Promise<Asked | undefined> {
    const value = this.#asker.newValue();
    const isRemoval = this.#random() < REMOVE_SHARE;
    const session = this.#token;
    const request: WriteRequest = {
      kind: isRemoval ? "remove" : "put",
      ...item,
      id: value.id,
      session: this.#session,
    };
    const result = await this.#asker.write(
      server,
      isRemoval ? { op: "delete", ...item, session } : { op: "set", ...item, value, session },
      [request],
    );
    if (!wasAnswered(result)) return undefined;
    this.#asker.tally.checked("sessionWrite");
    return result;
  }
}

import type { BusMessage } from "../shared.ts";
import { decodeMessage } from "./bus-message.ts";
import { makeRedisClient } from "./redis-client.ts";
import type { RedisClient, RedisClientOptions } from "./redis-client.ts";
import { redisFault } from "./redis-faults.ts";

export interface RedisBusOptions extends RedisClientOptions {
  readonly sleep: (delayMs: number) => Promise<void>;
}

const RESUBSCRIBE_MS = 500;

/**
 * What other servers announce, over a connection of its own. Only ever makes things faster: messages
 * that were missed are made up for by the log, which is read when the bus is back.
 */
export class RedisBus {
  readonly #client: RedisClient;
  readonly #sleep: RedisBusOptions["sleep"];
  readonly #listeners: ((message: BusMessage) => void)[] = [];
  #channel: string | undefined;
  #isClosed = false;
  #trouble: string | undefined = "it is being connected to";

  constructor(options: RedisBusOptions) {
    this.#sleep = options.sleep;
    this.#client = makeRedisClient(options);
    // Why there is no connection is told by that of the commands, which goes to the same place.
    this.#client.on("error", () => {});
    this.#client.on("ready", () => void this.#subscribe());
    this.#client.on("close", () => (this.#trouble = "it is being connected to"));
    this.#client.on("message", (channel: string, text: string) => {
      if (channel === this.#channel) this.#tell(decodeMessage(text));
    });
  }

  /** Why nothing is heard; undefined while the channel is subscribed to. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  onMessage(listener: (message: BusMessage) => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#client.connect().catch(() => undefined);
  }

  listenTo(channel: string): void {
    const before = this.#channel;
    if (before === channel) return;
    this.#channel = channel;
    if (this.#client.status !== "ready") return;
    if (before !== undefined) this.#client.unsubscribe(before).catch(() => undefined);
    void this.#subscribe();
  }

  close(): void {
    this.#isClosed = true;
    this.#client.disconnect();
  }

  async #subscribe(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) return;
    while (!this.#isClosed && this.#channel === channel && this.#client.status === "ready") {
      try {
        await this.#client.subscribe(channel);
        this.#trouble = undefined;
        // What was said while nobody listened is in the log.
        this.#tell([{ kind: "wake" }]);
        return;
      } catch (error) {
        this.#trouble = redisFault(error).reason;
        await this.#sleep(RESUBSCRIBE_MS);
      }
    }
  }

  #tell(messages: readonly BusMessage[]): void {
    for (const message of messages) for (const listener of this.#listeners) listener(message);
  }
}

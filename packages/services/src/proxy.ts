import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { SlowLane } from "./slow-lane.ts";

/** `up` is from the client to the server, `down` the answer. */
export type ProxyDirection = "up" | "down";

/**
 * What to do with a piece that passes: `drop` loses it in silence; `cut` loses it and resets the
 * connection; `cut-after` delivers it and then resets, so that its answer can never arrive.
 */
export type ProxyVerdict = "pass" | "drop" | "cut" | "cut-after";

export interface ProxyOptions {
  /** The server's port on the loopback. */
  readonly target: number;
  /** Sees every piece before it goes on. Nothing returned means `pass`. */
  readonly onData?: (direction: ProxyDirection, data: Buffer) => ProxyVerdict | undefined;
}

/** A TCP proxy that fails on command: the network between us and a server. */
export interface Proxy {
  readonly port: number;
  /** Open client connections. */
  readonly connections: number;
  /** Replaces the hook of the options. */
  onData: ProxyOptions["onData"];
  /** The same URL through this proxy. */
  through(url: string): string;
  /** Resets every open connection; new ones work. */
  cut(): void;
  /** Resets every open connection, and new ones until `resume`. */
  refuse(): void;
  /** Half-open: connections stay and are accepted, but no byte passes (that way) until `resume`. */
  stall(direction?: ProxyDirection): void;
  resume(): void;
  /** Holds each piece back for as long as this says; undefined: passes at once again. Order is kept. */
  delay: ((direction: ProxyDirection) => number) | undefined;
  /** New connections go to another server; open ones stay with theirs. */
  retarget(port: number): void;
  close(): Promise<void>;
}

class FaultProxy implements Proxy {
  port = 0;
  onData: ProxyOptions["onData"];
  delay: ((direction: ProxyDirection) => number) | undefined;
  #target: number;
  readonly #clients = new Map<Socket, Socket>();
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  #state: "open" | "refusing" = "open";
  #stalled: readonly ProxyDirection[] = [];

  constructor(options: ProxyOptions) {
    this.#target = options.target;
    this.onData = options.onData;
  }

  get connections(): number {
    return this.#clients.size;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        this.port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = "127.0.0.1";
    changed.port = String(this.port);
    return changed.href;
  }

  cut(): void {
    for (const client of this.#clients.keys()) this.#reset(client);
  }

  retarget(port: number): void {
    this.#target = port;
  }

  refuse(): void {
    this.#state = "refusing";
    this.cut();
  }

  stall(direction?: ProxyDirection): void {
    this.#state = "open";
    this.#stalled = direction === undefined ? ["up", "down"] : [direction];
    for (const [client, server] of this.#clients) this.#pause(client, server);
  }

  resume(): void {
    this.#state = "open";
    this.#stalled = [];
    for (const [client, server] of this.#clients) {
      client.resume();
      server.resume();
    }
  }

  close(): Promise<void> {
    this.refuse();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#state === "refusing") {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true });
    this.#clients.set(client, server);
    client.setNoDelay(true);
    server.setNoDelay(true);
    this.#pipe("up", client, server, client);
    this.#pipe("down", server, client, client);
    this.#pause(client, server);
  }

  #pause(client: Socket, server: Socket): void {
    if (this.#stalled.includes("up")) client.pause();
    if (this.#stalled.includes("down")) server.pause();
  }

  #pipe(direction: ProxyDirection, from: Socket, to: Socket, client: Socket): void {
    const lane = new SlowLane();
    from.on("data", (data: Buffer) => {
      const delayMs = this.delay?.(direction) ?? 0;
      lane.push(delayMs, () => this.#forward(direction, data, to, client));
    });
    from.on("end", () => lane.push(0, () => to.end()));
    // A reset on one side is a reset on the other, as it would be without us.
    from.on("error", () => {
      lane.drop();
      this.#reset(client);
    });
    from.on("close", () => {
      lane.push(0, () => to.end());
      if (from === client) this.#clients.delete(client);
    });
  }

  #forward(direction: ProxyDirection, data: Buffer, to: Socket, client: Socket): void {
    // Reset while the piece was held back.
    if (!to.writable) return;
    const verdict = this.onData?.(direction, data) ?? "pass";
    if (verdict === "drop") return;
    if (verdict === "cut") {
      this.#reset(client);
      return;
    }
    to.write(data);
    if (verdict === "pass") return;
    // The server's side ends in order, or the piece could be lost with the reset.
    to.end();
    if (to !== client) client.resetAndDestroy();
    this.#clients.delete(client);
  }

  #reset(client: Socket): void {
    const server = this.#clients.get(client);
    this.#clients.delete(client);
    client.resetAndDestroy();
    server?.resetAndDestroy();
  }
}

/** Starts a proxy on a free port of the loopback. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const proxy = new FaultProxy(options);
  await proxy.listen();
  return proxy;
}

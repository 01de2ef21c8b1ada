import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startProxy } from "./proxy.ts";
import type { Proxy, ProxyVerdict } from "./proxy.ts";

let echo: Server;
let received: string;
let proxy: Proxy;
const sockets = new Set<Socket>();

beforeEach(async () => {
  received = "";
  echo = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (data: Buffer) => {
      received += data.toString();
      socket.write(data);
    });
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  proxy = await startProxy({ target: port() });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  echo.close();
});

function port(): number {
  return (echo.address() as AddressInfo).port;
}

async function open(through: number): Promise<Socket> {
  const socket = connect(through, "127.0.0.1");
  sockets.add(socket);
  await once(socket, "connect");
  return socket;
}

async function roundTrip(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, "data")) as [Buffer];
  return answer.toString();
}

/** The error code with which a connection ends. */
async function ending(socket: Socket): Promise<unknown> {
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  return error.code;
}

test("passes what it is given, both ways", async () => {
  expect(await roundTrip(await open(proxy.port), "hello")).toBe("hello");
});

test("rewrites a URL to go through it", () => {
  expect(proxy.through("postgres://me@db.example:5432/x")).toBe(
    `postgres://me@127.0.0.1:${proxy.port}/x`,
  );
});

test("cut resets open connections, and new ones work", async () => {
  const socket = await open(proxy.port);
  await roundTrip(socket, "before");
  const ended = ending(socket);
  proxy.cut();
  expect(await ended).toBe("ECONNRESET");
  expect(proxy.connections).toBe(0);
  expect(await roundTrip(await open(proxy.port), "after")).toBe("after");
});

test("refuse resets new connections until resume", async () => {
  proxy.refuse();
  expect(await ending(connect(proxy.port, "127.0.0.1"))).toBe("ECONNRESET");
  proxy.resume();
  expect(await roundTrip(await open(proxy.port), "again")).toBe("again");
});

test("stall holds bytes back, on old and new connections, until resume", async () => {
  const old = await open(proxy.port);
  await roundTrip(old, "a");
  proxy.stall();
  const fresh = await open(proxy.port);
  old.write("b");
  fresh.write("c");
  // Beside the proxy the server still answers: what was sent before would have arrived by now.
  expect(await roundTrip(await open(port()), "x")).toBe("x");
  expect(received).toBe("ax");
  const answers = Promise.all([once(old, "data"), once(fresh, "data")]);
  proxy.resume();
  expect((await answers).map(([data]) => String(data))).toEqual(["b", "c"]);
});

test.each<[ProxyVerdict, string]>([
  ["cut", ""],
  ["cut-after", "secret"],
])("%s on a piece resets the client; the server saw %j", async (verdict, seen) => {
  proxy.onData = (direction) => (direction === "up" ? verdict : "pass");
  const socket = await open(proxy.port);
  const ended = ending(socket);
  socket.write("secret");
  expect(await ended).toBe("ECONNRESET");
  proxy.onData = undefined;
  await roundTrip(await open(proxy.port), "!");
  expect(received).toBe(`${seen}!`);
});

test("stall in one direction lets the other pass", async () => {
  const socket = await open(proxy.port);
  await roundTrip(socket, "a");
  proxy.stall("down");
  socket.write("b");
  expect(await roundTrip(await open(port()), "x")).toBe("x");
  await expect.poll(() => received).toContain("b");
  const answer = once(socket, "data");
  proxy.resume();
  expect(String((await answer)[0])).toBe("b");
});

test("delayed pieces arrive later, in order, and before the end of the connection", async () => {
  const delays = [60, 1, 0];
  proxy.delay = (direction) => (direction === "down" ? (delays.shift() ?? 0) : 0);
  const socket = await open(proxy.port);
  let text = "";
  socket.on("data", (data: Buffer) => (text += data.toString()));
  const from = performance.now();
  for (const piece of ["a", "b", "c"]) {
    socket.write(piece);
    await expect.poll(() => received).toContain(piece);
  }
  for (const server of sockets) if (server.localPort === port()) server.end();
  await once(socket, "end");
  expect(text).toBe("abc");
  // A lower bound: what is held back cannot be early.
  expect(performance.now() - from).toBeGreaterThanOrEqual(55);
});

test("after retarget new connections go to the other server", async () => {
  const other = createServer((socket) => socket.end("other"));
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const old = await open(proxy.port);
  await roundTrip(old, "a");
  proxy.retarget((other.address() as AddressInfo).port);
  const [answer] = (await once(await open(proxy.port), "data")) as [Buffer];
  expect(String(answer)).toBe("other");
  expect(await roundTrip(old, "still")).toBe("still");
  other.close();
});

import { createServer } from "node:net";
import type { Server } from "node:net";

const PORT_MAX = 65_535;

/** Listens on a port of the loopback, 0 for any that is free. Answers with the port. */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") {
        reject(new Error("expected a TCP address from listen"));
      } else {
        resolve(address.port);
      }
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** A TCP port of the loopback that was free a moment ago. Whoever uses it may still lose a race. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await close(server);
  return port;
}

/** A free port whose successor is free too. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port === PORT_MAX) continue;
    const next = createServer();
    try {
      await listen(next, port + 1);
    } catch {
      continue;
    }
    await close(next);
    return port;
  }
}

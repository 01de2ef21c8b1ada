import { createServer } from "node:net";

/** A TCP port of the loopback that was free a moment ago. Whoever uses it may still lose a race. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") {
          reject(new Error("expected a TCP address from listen(0)"));
        } else {
          resolve(address.port);
        }
      });
    });
  });
}

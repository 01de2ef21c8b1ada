/** The load of the HTTP case: several connections, one request in flight on each. */
import type { ContenderFactory, Contenders } from "../harness/contender.ts";
import { getRequest, RawConnection } from "./raw-http-client.ts";

const CONNECTIONS = 16;

const get: ContenderFactory = async (options) => {
  const request = getRequest(String(options["path"]));
  const connections = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => RawConnection.open(Number(options["port"]))),
  );
  const readSome = async (connection: RawConnection, count: number): Promise<number> => {
    let bytes = 0;
    for (let read = 0; read < count; read += 1) {
      const { head, body } = await connection.request(request);
      bytes += head.length + body.length;
    }
    return bytes;
  };
  const run = async (operations: number): Promise<number> => {
    const each = Math.ceil(operations / CONNECTIONS);
    const sums = await Promise.all(connections.map((connection) => readSome(connection, each)));
    return sums.reduce((left, right) => left + right, 0);
  };
  const close = (): void => {
    for (const connection of connections) connection.close();
  };
  return { run, close };
};

export const contenders: Contenders = { get };

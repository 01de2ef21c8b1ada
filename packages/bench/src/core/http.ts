/** GET of an item that lies in L1, beside a bare express route that sends the same bytes. */
import { DEFAULT_PLAN } from "../harness/contender.ts";
import type { RoundPlan } from "../harness/contender.ts";
import { race } from "../harness/race.ts";
import type { Entrant } from "../harness/race.ts";
import { median, medianRatio, rates, samplesOf } from "../harness/statistics.ts";
import { atLeast, judge } from "../result.ts";
import type { Case } from "../suite.ts";
import type { BareAnswer } from "./bare-express.ts";
import { startBareExpress, startCherry } from "./http-servers.ts";
import type { HttpServer } from "./http-servers.ts";
import { getRequest, RawConnection } from "./raw-http-client.ts";
import { makeTurn } from "./workload.ts";

const MODULE = new URL("./http-client.ts", import.meta.url).href;
const PLAN: RoundPlan = { ...DEFAULT_PLAN, roundMs: 250, warmUpMs: 4000, chunkMs: 50 };
const PATH = "/v1/namespaces/bench/items/turn-1";
/** Node writes these itself. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "date",
  "connection",
  "keep-alive",
  "content-length",
]);

/** Stores one item of 1 KB and returns the answer that a hit in L1 gives. */
async function prepare(server: HttpServer): Promise<BareAnswer> {
  const put = await fetch(`http://127.0.0.1:${server.port}${PATH}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ value: makeTurn(1), metadata: { speaker: "Ada" }, tags: ["bench"] }),
  });
  if (!put.ok) throw new Error(`PUT answered ${put.status}: ${await put.text()}`);
  const connection = await RawConnection.open(server.port);
  const { head, body } = await connection.request(getRequest(PATH));
  connection.close();
  const headers = new Map(
    head
      .split("\r\n")
      .slice(1)
      .map((line) => line.split(": ", 2))
      .filter((pair) => pair.length === 2)
      .map(([name = "", value = ""]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !OWN_HEADERS.has(name)),
  );
  if (headers.get("x-cherry-tier") !== "l1")
    throw new Error(`expected a hit in L1, the answer came from ${headers.get("x-cherry-tier")}`);
  return { headers: Object.fromEntries(headers), body: body.toString("base64") };
}

export const httpCase: Case = {
  name: "http",
  about: "GET of an L1 hit beside a bare express route that sends the same bytes",
  run: async () => {
    const servers: HttpServer[] = [];
    try {
      const cherry = await startCherry();
      servers.push(cherry);
      const bare = await startBareExpress(await prepare(cherry));
      servers.push(bare);
      const own = entrant("ours", cherry);
      const other = entrant("bare express route", bare);
      const rounds = await race([own, other], PLAN);
      const mine = rates(samplesOf(rounds, own.name));
      const theirs = rates(samplesOf(rounds, other.name));
      return [
        judge({
          name: "HTTP GET of an L1 hit",
          value: median(mine),
          unit: "requests/s",
          peer: other.name,
          peerValue: median(theirs),
          ratio: medianRatio(mine, theirs),
          goal: atLeast(0.7),
          note: "16 keep-alive connections, one request in flight on each",
        }),
      ];
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  },
};

function entrant(name: string, server: HttpServer): Entrant {
  return { name, module: MODULE, contender: "get", options: { port: server.port, path: PATH } };
}

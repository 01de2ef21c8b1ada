/** The peer of the HTTP case: express and one route that sends bytes it already has. */
import express from "express";
import type { AddressInfo } from "node:net";

/** The answer to give, as ours gave it: header names and values in turn, and the body. */
export interface BareAnswer {
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

function main(): void {
  const { headers, body } = JSON.parse(process.argv[2] ?? "") as BareAnswer;
  const bytes = Buffer.from(body, "base64");
  const app = express();
  app.disable("x-powered-by");
  app.get("/v1/namespaces/:namespace/items/:key", (_request, response) => {
    response.set(headers).send(bytes);
  });
  const server = app.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.send?.({ port });
  });
  process.on("disconnect", () => process.exit(0));
}

main();

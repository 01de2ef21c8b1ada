import { expect, test } from "vitest";
import { startWeaviate, startWeaviateCluster } from "../index.ts";
import type { WeaviateServer } from "../index.ts";
import { describeWithWeaviate, describeWithWeaviateTls } from "../vitest/shared-postgres.ts";

const OBJECT = "6f5b1a0e-0f4b-4c58-8f2e-2d6a3f0c9a11";
const SEARCH = {
  query: `{ Get { Point(nearVector: { vector: [0.9, 0.1] }, limit: 1) { name } } }`,
};

/** Two points, of which the first is nearest to SEARCH. */
async function makePoints(server: WeaviateServer): Promise<void> {
  const collection = {
    class: "Point",
    vectorizer: "none",
    properties: [{ name: "name", dataType: ["text"] }],
  };
  expect((await server.request("POST", "/v1/schema", collection)).status).toBe(200);
  for (const point of [
    { id: OBJECT, properties: { name: "east" }, vector: [1, 0] },
    { properties: { name: "north" }, vector: [0, 1] },
  ]) {
    const { status } = await server.request("POST", "/v1/objects", { class: "Point", ...point });
    expect(status).toBe(200);
  }
}

async function nearest(server: WeaviateServer): Promise<unknown> {
  return (await server.request("POST", "/v1/graphql", SEARCH)).body;
}

const EAST = { data: { Get: { Point: [{ name: "east" }] } } };

describeWithWeaviate("a Weaviate of one's own", () => {
  test("keeps its objects and their vectors over a restart and over a crash", async () => {
    const server = await startWeaviate();
    try {
      await makePoints(server);
      expect(await nearest(server)).toEqual(EAST);
      await server.restart();
      expect(await nearest(server)).toEqual(EAST);
      await server.kill();
      await expect(server.request("GET", "/v1/meta")).rejects.toThrow();
      await server.start();
      expect(await nearest(server)).toEqual(EAST);
    } finally {
      await server.remove();
    }
  });

  test("lets only its key in, and stands still while paused", async () => {
    const server = await startWeaviate({ apiKey: "let me in" });
    try {
      expect((await server.request("GET", "/v1/schema")).status).toBe(200);
      const stranger = await fetch(new URL("/v1/schema", server.url));
      expect(stranger.status).toBe(401);
      server.pause();
      const held = server.request("GET", "/v1/schema");
      server.resume();
      expect((await held).status).toBe(200);
      server.pause();
    } finally {
      // Ends though it stands still.
      await server.remove();
    }
    await expect(server.request("GET", "/v1/schema")).rejects.toThrow();
  });

  test("a cluster of three answers while one is dead, and takes it back", async () => {
    const cluster = await startWeaviateCluster();
    const [first, second, third] = cluster.nodes;
    if (first === undefined || second === undefined || third === undefined) throw new Error("3");
    try {
      await third.kill();
      await cluster.untilHealthy(first, 2);
      await makePoints(first);
      expect(await nearest(second)).toEqual(EAST);
      await third.start();
      await cluster.untilHealthy(first, 3);
      await expect.poll(() => nearest(third), { timeout: 30_000 }).toEqual(EAST);
    } finally {
      await cluster.remove();
    }
  });
});

describeWithWeaviateTls("a Weaviate that speaks TLS", () => {
  test("answers those who trust its authority, and only them", async () => {
    const server = await startWeaviate({ tls: true });
    try {
      expect(server.url.startsWith("https://")).toBe(true);
      expect((await server.request("GET", "/v1/meta")).status).toBe(200);
      await expect(fetch(new URL("/v1/meta", server.url))).rejects.toThrow();
    } finally {
      await server.remove();
    }
  });
});

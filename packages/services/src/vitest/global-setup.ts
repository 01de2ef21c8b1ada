import type { TestProject } from "vitest/node";
import { postgresAvailable, startPostgres } from "../index.ts";
import { pgvectorMissing } from "../postgres/answers.ts";
import type {} from "./provided.ts";

/**
 * One PostgreSQL for the whole run: each test takes a database of its own on it. fsync is off
 * because no test cuts the power; those that crash a server start one of theirs.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const missing = postgresAvailable();
  if (missing !== undefined) {
    project.provide("postgres", { url: undefined, missing });
    return async () => {};
  }
  const server = await startPostgres({ settings: { fsync: "off" } });
  const vectorMissing = await pgvectorMissing(server.url);
  project.provide("postgres", { url: server.url, missing: undefined, vectorMissing });
  return () => server.remove();
}

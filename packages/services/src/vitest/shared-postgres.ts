import { randomUUID } from "node:crypto";
import { describe, inject } from "vitest";
import { createDatabase } from "../postgres/answers.ts";
import { pgBouncerAvailable } from "../pgbouncer.ts";
import { modelsAvailable } from "../models.ts";
import { redisAvailable, redisTlsAvailable } from "../redis/binaries.ts";
import { weaviateAvailable, weaviateTlsAvailable } from "../weaviate/binaries.ts";
import type {} from "./provided.ts";

/** Why the run has no PostgreSQL; undefined when it has one. */
export function postgresMissing(): string | undefined {
  return inject("postgres").missing;
}

/** The run's server, as a superuser on the database `postgres`. */
export function sharedPostgresUrl(): string {
  const { url, missing } = inject("postgres");
  if (url === undefined) throw new Error(`needs PostgreSQL: ${missing}`);
  return url;
}

/** An empty database of one's own on the run's server; its URL. It goes when the run ends. */
export function testDatabase(): Promise<string> {
  return createDatabase(sharedPostgresUrl(), `test_${randomUUID().replaceAll("-", "")}`);
}

/** `describe`, or a skip whose name says what is missing: `pnpm test` prints it at its end. */
export function describeNeeding(missing: string | undefined, name: string, body: () => void): void {
  if (missing === undefined) describe(name, body);
  else describe.skip(`${name} [skipped: ${missing}]`, body);
}

/** Tests that need `testDatabase()` or `startPostgres()`. */
export function describeWithPostgres(name: string, body: () => void): void {
  describeNeeding(postgresMissing(), name, body);
}

/** Tests that need `startPgBouncer()` before a PostgreSQL. */
export function describeWithPgBouncer(name: string, body: () => void): void {
  describeNeeding(postgresMissing() ?? pgBouncerAvailable(), name, body);
}

/** Tests that need `startRedis()`, `startRedisCluster()` or `startRedisSentinel()`. */
export function describeWithRedis(name: string, body: () => void): void {
  describeNeeding(redisAvailable(), name, body);
}

/** Tests that need `startRedis({ tls: true })`. */
export function describeWithRedisTls(name: string, body: () => void): void {
  describeNeeding(redisTlsAvailable(), name, body);
}

/** Tests that need `CREATE EXTENSION vector` in a `testDatabase()` or of a `startPostgres()`. */
export function describeWithPgvector(name: string, body: () => void): void {
  const { missing, vectorMissing } = inject("postgres");
  describeNeeding(missing ?? vectorMissing, name, body);
}

/** Tests that need `startWeaviate()` or `startWeaviateCluster()`. */
export function describeWithWeaviate(name: string, body: () => void): void {
  describeNeeding(weaviateAvailable(), name, body);
}

/** Tests that need `startWeaviate({ tls: true })`. */
export function describeWithWeaviateTls(name: string, body: () => void): void {
  describeNeeding(weaviateTlsAvailable(), name, body);
}

/** Tests that need `sentenceModel()`. */
export function describeWithModels(name: string, body: () => void): void {
  describeNeeding(modelsAvailable(), name, body);
}

/** Tests that need `testDatabase()` and a Redis. */
export function describeWithPostgresAndRedis(name: string, body: () => void): void {
  describeNeeding(postgresMissing() ?? redisAvailable(), name, body);
}

import type { SubjectFactory } from "./subject.ts";

/** Loaded only when asked for: a peer brings drivers of its own. */
const SUBJECTS: { readonly [name: string]: () => Promise<SubjectFactory> } = {
  cherry: async () => (await import("./cherry.ts")).cherrySubject,
  bentocache: async () => (await import("../peers/bentocache.ts")).bentocacheSubject,
  cacheable: async () => (await import("../peers/cacheable.ts")).cacheableSubject,
  "cache-manager": async () => (await import("../peers/cache-manager.ts")).cacheManagerSubject,
  "node-redis": async () => (await import("../peers/node-redis.ts")).nodeRedisSubject,
};

export const PEERS: readonly string[] = Object.keys(SUBJECTS).filter((name) => name !== "cherry");

export function loadSubject(name: string): Promise<SubjectFactory> {
  const load = SUBJECTS[name];
  if (load === undefined) throw new Error(`there is no subject ${name}`);
  return load();
}

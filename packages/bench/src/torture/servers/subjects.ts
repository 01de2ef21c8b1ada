import type { SubjectFactory } from "./subject.ts";

export const OURS = "cherry";
/** Ours, while one release replaces another. */
export const MIXED = "cherry-mixed";

/** Loaded only when asked for: a peer brings drivers of its own. */
const SUBJECTS: { readonly [name: string]: () => Promise<SubjectFactory> } = {
  [OURS]: async () => (await import("./cherry.ts")).cherrySubject,
  [MIXED]: async () => (await import("./next-release.ts")).mixedSubject,
  bentocache: async () => (await import("../peers/bentocache.ts")).bentocacheSubject,
  cacheable: async () => (await import("../peers/cacheable.ts")).cacheableSubject,
  "cache-manager": async () => (await import("../peers/cache-manager.ts")).cacheManagerSubject,
  "node-redis": async () => (await import("../peers/node-redis.ts")).nodeRedisSubject,
};

export const PEERS: readonly string[] = Object.keys(SUBJECTS).filter((name) => !isOurs(name));

/** Its answers are judged by all that we promise; a peer's by what it could keep. */
export function isOurs(name: string): boolean {
  return name === OURS || name === MIXED;
}

export function loadSubject(name: string): Promise<SubjectFactory> {
  const load = SUBJECTS[name];
  if (load === undefined) throw new Error(`there is no subject ${name}`);
  return load();
}

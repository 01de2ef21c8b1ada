import type { SubjectFactory } from "./subject.ts";

/** Loaded only when asked for: a peer brings drivers of its own. */
const SUBJECTS: { readonly [name: string]: () => Promise<SubjectFactory> } = {
  cherry: async () => (await import("./cherry.ts")).cherrySubject,
};

export const PEERS: readonly string[] = Object.keys(SUBJECTS).filter((name) => name !== "cherry");

export function loadSubject(name: string): Promise<SubjectFactory> {
  const load = SUBJECTS[name];
  if (load === undefined) throw new Error(`there is no subject ${name}`);
  return load();
}

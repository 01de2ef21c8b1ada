import { registerHooks } from "node:module";
import { query } from "../database.ts";
import type { Assignment } from "./protocol.ts";
import type { Loader, Subject } from "./subject.ts";

/** Formats that cross servers, each by the line that says its number. */
const FORMATS: readonly { readonly file: string; readonly line: string }[] = [
  { file: "/memory/src/tiers/redis/redis-names.ts", line: "export const FORMAT_VERSION = " },
  { file: "/memory/src/coherence/session-token.ts", line: "const FORMAT = " },
  { file: "/memory/src/tiers/postgres/search/cursor.ts", line: "const FORMAT = " },
];

/**
 * Our own memory while servers are replaced: every other server that starts is of a release whose
 * formats are one further, so that each killed server may come back as the other release.
 */
export async function mixedSubject(assignment: Assignment, load: Loader): Promise<Subject> {
  const life = await nextLife(assignment.databaseUrl);
  const release = life % 2 === 0 ? nextRelease() : undefined;
  const { cherrySubject } = await import("./cherry.ts");
  const subject = await cherrySubject(assignment, load);
  release?.mustBePatched();
  return subject;
}

async function nextLife(url: string): Promise<number> {
  await query(url, "CREATE SEQUENCE IF NOT EXISTS public.torture_lives");
  const [row] = await query(url, "SELECT nextval('public.torture_lives')::int AS life");
  if (row === undefined || !("life" in row)) throw new Error("the database counts no lives");
  return Number(row.life);
}

/** Reads the product's source with other numbers: the product itself has no such switch. */
function nextRelease(): { mustBePatched(): void } {
  const patched = new Set<string>();
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const format = FORMATS.find(({ file }) => url.endsWith(file));
      if (format === undefined) return loaded;
      const { source: read } = loaded;
      const source = typeof read === "string" ? read : new TextDecoder().decode(read ?? undefined);
      const number = new RegExp(`^${format.line}(\\d+);`, "m");
      const next = source.replace(number, (_, now: string) => `${format.line}${Number(now) + 1};`);
      if (next !== source) patched.add(format.file);
      return { ...loaded, source: next };
    },
  });
  return {
    mustBePatched() {
      const missing = FORMATS.filter(({ file }) => !patched.has(file));
      if (missing.length > 0)
        throw new Error(`no next release: ${missing.map(({ file }) => file).join(", ")}`);
    },
  };
}

/** What the run's global setup hands to every test file. */
export type ProvidedPostgres =
  | {
      readonly url: string;
      readonly missing: undefined;
      /** Why it has no extension `vector`; undefined when it has. */
      readonly vectorMissing: string | undefined;
    }
  | { readonly url: undefined; readonly missing: string; readonly vectorMissing?: undefined };

declare module "vitest" {
  interface ProvidedContext {
    postgres: ProvidedPostgres;
  }
}

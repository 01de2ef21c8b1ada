/** What the run's global setup hands to every test file. */
export type ProvidedPostgres =
  | { readonly url: string; readonly missing: undefined }
  | { readonly url: undefined; readonly missing: string };

declare module "vitest" {
  interface ProvidedContext {
    postgres: ProvidedPostgres;
  }
}

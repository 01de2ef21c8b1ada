import type { MemoryConfig } from "@cherry-ai/memory";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

/** Claims that every token must carry, beside its signature. */
export interface TokenRules {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

/** Who may call: this machine only, or whoever holds a token. */
export type AuthConfig =
  | { readonly kind: "loopback" }
  | ({
      readonly kind: "secret";
      /** The first signs, all verify. */
      readonly secrets: readonly string[];
      /** Read again when it changes. */
      readonly file: string | undefined;
    } & TokenRules)
  | ({ readonly kind: "jwks"; readonly url: URL } & TokenRules);

export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly auth: AuthConfig;
  readonly memory: MemoryConfig;
}

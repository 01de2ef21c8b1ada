import type { Limits } from "../model/limits.ts";
import type { Language } from "../recall/text/languages.ts";
import type { EmbeddingsConfig } from "../recall/embedding/settings.ts";

export type Environment = "development" | "staging" | "production";

export interface LocalTierConfig {
  readonly enabled: boolean;
  readonly maxSizeMb: number;
  readonly maxItems: number;
  readonly eviction?: "lru" | "lfu";
}

/** Search by meaning: on Weaviate where a url is given, else by pgvector in L3's database. */
export interface VectorTierConfig {
  /** Default true. */
  readonly enabled: boolean;
  /** http://host:port, or https:// for TLS; several servers of one cluster separated by commas. */
  readonly url?: string;
  /** Where gRPC is, in the same order. Default: the same hosts, port 50051. */
  readonly grpcUrl?: string;
  readonly apiKey?: string;
  /** Holds the key alone, read for every new connection; goes before `apiKey`. */
  readonly apiKeyFile?: string;
  /** First part of every collection's name: memories with different ones may share a Weaviate. Default "Cherry". */
  readonly prefix: string;
  /** One search, milliseconds. Default 3000. */
  readonly queryTimeoutMs: number;
  /** Copies of each entry in a cluster of Weaviate. Default 1. */
  readonly replicationFactor: number;
  /** Namespaces that one server keeps in Weaviate's memory. Default 1000. */
  readonly activeTenantsMax: number;
}

/** Everything the manager can be told. Defaults in `defaults.ts`. */
export interface MemoryConfig {
  readonly environment: Environment;
  /** Storage folder of the embedded database; ":memory:" keeps nothing. Default ".cherry". */
  readonly dataDir: string;
  readonly tiers: {
    readonly L0: LocalTierConfig;
    readonly L1: LocalTierConfig;
    readonly L2: {
      /** Without a url there is no L2, whatever stands here. */
      readonly enabled: boolean;
      /** redis://, redis-cluster:// or redis-sentinel://, each also with "rediss" for TLS. */
      readonly url?: string;
      /** Holds the password alone, read for every new connection; the URL then carries none. */
      readonly passwordFile?: string;
      /** First part of every key: memories with different ones may share a Redis. Default "cherry". */
      readonly prefix: string;
      /** One command, milliseconds. Default 250. */
      readonly commandTimeoutMs: number;
      /** Whether servers tell each other of changes over Redis; the log tells anyway. Default true. */
      readonly bus: boolean;
    };
    readonly L3: {
      /** postgres://… ; absent = embedded. */
      readonly url?: string;
      readonly passwordFile?: string;
      /** Database schema that holds the tables. Default "cherry". */
      readonly schema: string;
      /** Connections over all servers; each takes its share. Default 60. */
      readonly connectionBudget: number;
      /** Servers that share the budget. Default 10. */
      readonly servers: number;
    };
    readonly L4: VectorTierConfig;
  };
  /** How old a copy may be, milliseconds. Default 1000. */
  readonly maxStalenessMs: number;
  readonly limits: Limits;
  readonly embeddings: EmbeddingsConfig;
  readonly recall: {
    /** Whose words texts are in: what stands beside them and how their stems are found. Default "en". */
    readonly language: Language;
  };
  readonly optimization: {
    /** Background sweeps, promotion and demotion. Default true. */
    readonly enabled: boolean;
    /** Between two sweeps, milliseconds. Default 5000. */
    readonly sweepIntervalMs: number;
    /** Rows one sweep expires, purges or trims, each. Default 1000. */
    readonly sweepRows: number;
  };
  readonly metrics: { readonly enabled: boolean; readonly prometheusEnabled: boolean };
  readonly security: {
    /** `id:base64` of 32 bytes each; the first writes, all read. */
    readonly encryptionKeys: readonly string[];
    /** File with the same, read again when it changes: rotation needs no restart. */
    readonly encryptionKeysFile?: string;
  };
}

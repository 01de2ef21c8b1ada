/** One environment variable, as docs/reference/config.md shows it. */
export interface Setting {
  readonly name: string;
  readonly group: "server" | "storage" | "recall" | "security" | "limits" | "operation";
  /** What holds when it is unset or empty. */
  readonly standard: string;
  readonly unit: string;
  readonly example: string;
  readonly means: string;
  /** It can be given as a file too, named by this variable; read again when the file changes. */
  readonly fileForm?: string;
}

/** Every variable that the server reads. pnpm check compares this list with what is parsed. */
export const SETTINGS: readonly Setting[] = [
  {
    name: "HOST",
    group: "server",
    standard: "127.0.0.1",
    unit: "address",
    example: "0.0.0.0",
    means: "Address to listen on. Without a JWT setting only a loopback address is accepted.",
  },
  {
    name: "PORT",
    group: "server",
    standard: "8787",
    unit: "TCP port",
    example: "8080",
    means: "Port to listen on; 0 takes a free one.",
  },
  {
    name: "CHERRY_ENVIRONMENT",
    group: "server",
    standard: "development",
    unit: "development, staging or production",
    example: "production",
    means: "Outside development the server refuses to start without a JWT setting.",
  },
  {
    name: "CHERRY_DATA_DIR",
    group: "storage",
    standard: ".cherry",
    unit: "folder",
    example: "/var/lib/cherry",
    means: "Folder of the embedded storage, used when `DATABASE_URL` is unset.",
  },
  {
    name: "DATABASE_URL",
    group: "storage",
    standard: "embedded storage",
    unit: "postgres:// URL",
    example: "postgres://cherry@db:5432/cherry",
    means: "PostgreSQL 15 or later: the system of record (L3).",
  },
  {
    name: "DATABASE_PASSWORD_FILE",
    group: "storage",
    standard: "the URL's password",
    unit: "file",
    example: "/run/secrets/database-password",
    means: "Password for `DATABASE_URL`, read again for each new connection.",
  },
  {
    name: "CHERRY_DB_SCHEMA",
    group: "storage",
    standard: "cherry",
    unit: "1 to 63 of a-z, 0-9 and _",
    example: "cherry_staging",
    means: "Schema of all tables; two environments may share a database.",
  },
  {
    name: "REDIS_URL",
    group: "storage",
    standard: "no L2",
    unit: "redis://, redis-cluster:// or redis-sentinel:// URL, or rediss… for TLS",
    example: "rediss-cluster://app@cache-1:6379,cache-2:6379",
    means:
      "Redis 6.2 or later, or Valkey, shared by all servers (L2): `redis://user:password@host:port/db`, a cluster's nodes separated by commas, or sentinels as `redis-sentinel://host:port,host:port/masterName`. After `?`: `ca`, `cert`, `key` (PEM files), `servername`, `sentinelUser`, `sentinelPassword`. The user needs `~PREFIX:* &PREFIX:* +get +mget +getrange +set +setrange +del +pttl +pexpire +time +eval +evalsha +scan +publish +subscribe +unsubscribe +info`, and for a cluster `+cluster +readonly +readwrite +asking`.",
  },
  {
    name: "REDIS_PASSWORD_FILE",
    group: "storage",
    standard: "the URL's password",
    unit: "file",
    example: "/run/secrets/redis-password",
    means: "Password for `REDIS_URL`, read again for each new connection.",
  },
  {
    name: "CHERRY_REDIS_PREFIX",
    group: "storage",
    standard: "cherry",
    unit: "1 to 64 of A-Z, a-z, 0-9, dot, _ and -",
    example: "cherry-staging",
    means: "First part of all keys and channels; two environments may share a Redis.",
  },
  {
    name: "WEAVIATE_URL",
    group: "storage",
    standard: "pgvector in the database of L3",
    unit: "http:// or https:// URL",
    example: "http://vectors-1:8080,http://vectors-2:8080",
    means:
      "Weaviate 1.27 or later for search by meaning (L4); servers of one cluster separated by commas. `https` means TLS; an authority of your own is made known by Node's `NODE_EXTRA_CA_CERTS`. Without it vectors lie beside the items, by the extension pgvector 0.8 or later.",
  },
  {
    name: "WEAVIATE_GRPC_URL",
    group: "storage",
    standard: "the hosts of WEAVIATE_URL, port 50051",
    unit: "http:// or https:// URL",
    example: "http://vectors-1:50051,http://vectors-2:50051",
    means: "Where those servers speak gRPC, in the same order.",
  },
  {
    name: "WEAVIATE_API_KEY",
    group: "storage",
    standard: "none",
    unit: "text",
    example: "a-long-secret",
    means: "Key for Weaviate; it needs the right to make, read and write collections.",
  },
  {
    name: "WEAVIATE_API_KEY_FILE",
    group: "storage",
    standard: "none",
    unit: "file",
    example: "/run/secrets/weaviate-key",
    means: "The same in a file, read again for each new connection.",
  },
  {
    name: "CHERRY_WEAVIATE_PREFIX",
    group: "storage",
    standard: "Cherry",
    unit: "A-Z, then up to 31 of A-Z, a-z, 0-9 and _",
    example: "CherryStaging",
    means: "First part of all collections' names; two environments may share a Weaviate.",
  },
  {
    name: "CHERRY_EMBEDDINGS",
    group: "recall",
    standard: "lexical",
    unit: "lexical, local:FOLDER or openai:URL",
    example: "local:/var/lib/cherry/models/bge-small-en",
    means:
      "What makes the vectors of search by meaning: words and letters alone, a sentence model in ONNX form from a folder (needs the package `@huggingface/transformers`), or an endpoint that answers as OpenAI's `/embeddings` does.",
  },
  {
    name: "CHERRY_EMBEDDINGS_MODEL",
    group: "recall",
    standard: "none; needed with openai:URL",
    unit: "text",
    example: "text-embedding-3-small",
    means: "The name by which the endpoint knows its model.",
  },
  {
    name: "CHERRY_EMBEDDINGS_DIMENSIONS",
    group: "recall",
    standard: "the model's; needed with openai:URL and a model that is not OpenAI's",
    unit: "1 to 4000",
    example: "1024",
    means:
      "Numbers in a vector. OpenAI's `text-embedding-3` models are asked for as many; of others it is what they make, checked at start or in each answer.",
  },
  {
    name: "CHERRY_EMBEDDINGS_API_KEY",
    group: "recall",
    standard: "none is sent",
    unit: "text",
    example: "sk-…",
    means: "Sent to the endpoint as a bearer token, and nowhere else.",
    fileForm: "CHERRY_EMBEDDINGS_API_KEY_FILE",
  },
  {
    name: "CHERRY_JWT_SECRET",
    group: "security",
    standard: "no tokens: loopback only",
    unit: "text of 32 bytes or more; a list is separated by commas",
    example: "$(openssl rand -base64 32)",
    means: "The first signs, all verify.",
    fileForm: "CHERRY_JWT_SECRET_FILE",
  },
  {
    name: "CHERRY_JWKS_URL",
    group: "security",
    standard: "none",
    unit: "https:// URL; http:// on loopback",
    example: "https://login.example.com/.well-known/jwks.json",
    means:
      "Public keys of an identity provider, in place of `CHERRY_JWT_SECRET`; needs `CHERRY_JWT_ISSUER` and `CHERRY_JWT_AUDIENCE`.",
  },
  {
    name: "CHERRY_JWT_ISSUER",
    group: "security",
    standard: "any",
    unit: "text",
    example: "https://login.example.com/",
    means: "The `iss` that a token must have.",
  },
  {
    name: "CHERRY_JWT_AUDIENCE",
    group: "security",
    standard: "any",
    unit: "text",
    example: "cherry-memory",
    means: "The `aud` that a token must have.",
  },
  {
    name: "CHERRY_ENCRYPTION_KEYS",
    group: "security",
    standard: "values are stored unencrypted",
    unit: "`id:base64` of 32 bytes; a list is separated by commas",
    example: "k2:…,k1:…",
    means: "AES-256-GCM for values. The first key writes, all read.",
    fileForm: "CHERRY_ENCRYPTION_KEYS_FILE",
  },
  {
    name: "CHERRY_L1_MAX_MB",
    group: "limits",
    standard: "256",
    unit: "MiB",
    example: "1024",
    means: "Memory that the process cache (L1) may take.",
  },
  {
    name: "CHERRY_MAX_STALENESS_MS",
    group: "limits",
    standard: "1000",
    unit: "milliseconds, 50 to 3,600,000",
    example: "250",
    means: "The oldest state that a read without further demands may show.",
  },
  {
    name: "CHERRY_MAX_VALUE_BYTES",
    group: "limits",
    standard: "1048576",
    unit: "bytes of JSON text",
    example: "262144",
    means: "The largest value accepted.",
  },
  {
    name: "LOG_LEVEL",
    group: "operation",
    standard: "info",
    unit: "fatal, error, warn, info, debug, trace or silent",
    example: "warn",
    means: "The least severe log line written. Values are never logged.",
  },
];

/** What a stored value is: it names its writer, and a counter counts. */
export interface Value {
  readonly id: number;
  readonly n?: number;
}

/** An item as a read showed it; undefined: absent. Not every operation tells the version. */
export type Shown = (Value & { readonly version?: number }) | undefined;

export type ReadConsistency = "any" | "latest" | "session";

export type BatchStep =
  | { readonly type: "set"; readonly key: string; readonly value: Value }
  | { readonly type: "delete"; readonly key: string }
  | { readonly type: "get"; readonly key: string };

/** What a server can be asked. Keys are within one namespace. */
export type Call =
  | {
      readonly op: "get";
      readonly namespace: string;
      readonly key: string;
      readonly consistency: ReadConsistency;
      readonly session?: string;
    }
  /** A call of a session carries what the last one gave back; the first carries "". */
  | { readonly op: "peek"; readonly namespace: string; readonly key: string }
  | {
      readonly op: "getMany";
      readonly namespace: string;
      readonly keys: readonly string[];
      readonly consistency: "any" | "latest";
    }
  | {
      readonly op: "set";
      readonly namespace: string;
      readonly key: string;
      readonly value: Value;
      readonly ttlSeconds?: number;
      /** Only over this version. */
      readonly replaces?: number;
      readonly session?: string;
    }
  | {
      readonly op: "delete";
      readonly namespace: string;
      readonly key: string;
      readonly session?: string;
    }
  | { readonly op: "clear"; readonly namespace: string }
  | { readonly op: "forget"; readonly namespace: string; readonly keys: readonly string[] }
  | { readonly op: "getOrSet"; readonly namespace: string; readonly key: string }
  | {
      readonly op: "batch";
      readonly namespace: string;
      readonly steps: readonly BatchStep[];
      readonly atomic: boolean;
    }
  | { readonly op: "skewClock"; readonly byMs: number }
  | { readonly op: "close" };

export interface StepAnswer {
  readonly shown?: Shown;
  readonly version?: number;
  readonly errorCode?: string;
}

/** Each call fills what it knows. */
export interface Answer {
  readonly shown?: Shown;
  readonly many?: readonly (Shown | null)[];
  readonly version?: number;
  readonly steps?: readonly StepAnswer[];
  /** To be given back with the next call of the session. */
  readonly session?: string;
}

/** From the driver to a server. */
export type ToServer =
  | { readonly kind: "call"; readonly id: number; readonly call: Call }
  /** The answer to `load`; undefined: the source is away. */
  | { readonly kind: "loaded"; readonly id: number; readonly value: Value };

/** From a server to the driver. */
export type FromServer =
  | { readonly kind: "ready"; readonly sessions: boolean }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: string;
      readonly message: string;
    }
  /** A loader asks the source, which is the driver. */
  | {
      readonly kind: "load";
      readonly id: number;
      readonly namespace: string;
      readonly key: string;
    };

/** What a server's process is started with. */
export interface Assignment {
  readonly subject: string;
  readonly databaseUrl: string;
  readonly redisUrl: string | undefined;
  readonly boundMs: number;
  readonly servers: number;
  /** Added to the server's wall clock. */
  readonly clockOffsetMs: number;
  /** A part of the product that is replaced by a wrong one. */
  readonly broken: string | undefined;
}

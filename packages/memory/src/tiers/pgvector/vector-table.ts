import type { BoundSchema } from "../postgres/bound-schema.ts";
import { quoteIdentifier } from "../postgres/schema.ts";
import type { IndexVersion } from "../vector.ts";

/** HNSW takes no longer ones of 4 bytes a number, and twice as long ones of 2. */
const SINGLE_DIMENSIONS_MAX = 2000;
export const DIMENSIONS_MAX = 4000;

/**
 * More neighbours find more and cost memory: 16 is pgvector's default. 100 candidates at building
 * instead of 64 lift recall where vectors lie evenly in space.
 */
const NEIGHBOURS = 16;
const BUILD_CANDIDATES = 100;

/** A page of PostgreSQL holds a row with its vector: reading it from elsewhere doubles an exact search. */
const ROW_BYTES_MAX = 8160;

/** The table of one index version, and how its vectors are written in SQL. */
export class VectorTable {
  readonly index: IndexVersion;
  /** Quoted, with its schema. */
  readonly name: string;
  /** Of its vectors: `"public".vector`. */
  readonly type: string;
  /** The negative inner product: of vectors of length one, the negative cosine. */
  readonly distance: string;
  readonly #base: string;
  readonly #operators: string;

  /** `extension` is the schema that pgvector lies in, which need not be in the search path. */
  constructor(index: IndexVersion, schema: BoundSchema, extension: string) {
    this.index = index;
    this.#base = `vectors_${index.number}`;
    this.name = schema.text(`{{schema}}.${quoteIdentifier(this.#base)}`);
    const type = index.dimensions <= SINGLE_DIMENSIONS_MAX ? "vector" : "halfvec";
    const home = quoteIdentifier(extension);
    this.type = `${home}.${type}`;
    this.distance = `OPERATOR(${home}.<#>)`;
    this.#operators = `${home}.${type}_ip_ops`;
  }

  /** What makes it, in this order. */
  creation(): readonly string[] {
    const index = (kind: string): string => quoteIdentifier(`${this.#base}_${kind}`);
    return [
      `CREATE TABLE ${this.name} (
        namespace    text COLLATE "C" NOT NULL,
        key          text COLLATE "C" NOT NULL,
        item_version bigint NOT NULL,
        facets       text[] COLLATE "C" NOT NULL DEFAULT '{}',
        at_ms        double precision,
        expires_at   timestamptz,
        embedding    ${this.type}(${this.index.dimensions}) NOT NULL,
        PRIMARY KEY (namespace, key)
      ) WITH (toast_tuple_target = ${ROW_BYTES_MAX})`,
      `CREATE INDEX ${index("meaning")} ON ${this.name} USING hnsw (embedding ${this.#operators})
        WITH (m = ${NEIGHBOURS}, ef_construction = ${BUILD_CANDIDATES})`,
      `CREATE INDEX ${index("facets")} ON ${this.name} USING gin (namespace, facets)
        WHERE facets <> '{}'`,
      `CREATE INDEX ${index("time")} ON ${this.name} (namespace, at_ms) WHERE at_ms IS NOT NULL`,
    ];
  }

  removal(): string {
    return `DROP TABLE IF EXISTS ${this.name}`;
  }
}

/** A vector as PostgreSQL reads it. Seven digits are all that four bytes hold. */
export function vectorText(vector: Float32Array): string {
  let text = "[";
  for (const [place, part] of vector.entries())
    text += place === 0 ? part.toPrecision(7) : `,${part.toPrecision(7)}`;
  return `${text}]`;
}

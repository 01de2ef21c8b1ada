import type { PostingList, PostingSource } from "../../../recall/keyword/top-documents.ts";
import type { BoundSchema } from "../bound-schema.ts";
import { numberIn, optionalListIn, textIn, textsIn } from "../columns.ts";
import type { Queryable, Row, Statement } from "../database.ts";

/**
 * These have no name, so that each is planned for its own values; and each looks up the index by its
 * whole key, term by term, whatever the planner thinks of the numbers of rows.
 */
export const SCAN: Statement = {
  text: `SELECT wanted.namespace_id, wanted.term, p.documents, p.frequencies, p.lengths
    FROM (SELECT * FROM unnest($1::int[]) AS n (namespace_id), unnest($2::text[]) AS t (term)) AS wanted
    CROSS JOIN LATERAL (
      SELECT array_agg(p.document) AS documents, array_agg(p.frequency::int8) AS frequencies,
        array_agg(p.length::int8) AS lengths
      FROM {{schema}}.word_postings p
      WHERE p.namespace_id = wanted.namespace_id AND p.term = wanted.term
    ) AS p WHERE p.documents IS NOT NULL`,
};

export const LOOK_UP: Statement = {
  text: `SELECT t.term, array_agg(d.document) AS documents,
      array_agg(p.frequency::int8) AS frequencies, array_agg(p.length::int8) AS lengths
    FROM unnest($1::int[], $2::int8[]) AS d (namespace_id, document)
    CROSS JOIN unnest($3::text[]) AS t (term)
    CROSS JOIN LATERAL (
      SELECT p.frequency, p.length FROM {{schema}}.word_postings p
      WHERE p.namespace_id = d.namespace_id AND p.term = t.term AND p.document = d.document LIMIT 1
    ) AS p GROUP BY t.term`,
};

const COUNT: Statement = {
  text: `SELECT t.term, sum(w.documents)::int8 AS documents
    FROM unnest($1::int[]) AS n (namespace_id) CROSS JOIN unnest($2::text[]) AS t (term)
    CROSS JOIN LATERAL (
      SELECT w.documents FROM {{schema}}.word_terms w
      WHERE w.namespace_id = n.namespace_id AND w.term = t.term LIMIT 1
    ) AS w GROUP BY t.term`,
};

/** What no longer counts: items that the tail names, and what has expired since it was indexed. */
const EXCLUDED: Statement = {
  text: `SELECT d.id, d.length,
      ARRAY(SELECT term FROM unnest(d.terms) AS term WHERE term = ANY ($2::text[])) AS terms
    FROM {{schema}}.word_documents d WHERE d.id = ANY (ARRAY(
      SELECT e.id FROM {{schema}}.word_documents e
      WHERE e.namespace_id = ANY ($1::int[]) AND e.expires_at <= to_timestamp($3::float8 / 1000)
      UNION ALL
      SELECT e.id FROM unnest($4::int[], $5::text[]) AS changed (namespace_id, key)
      JOIN {{schema}}.word_documents e
        ON e.namespace_id = changed.namespace_id AND e.key = changed.key))`,
};

/** The postings of some namespaces for the terms of one query, in one snapshot. */
export class Postings implements PostingSource {
  readonly #tx: Queryable;
  readonly #schema: BoundSchema;
  readonly #namespaceIds: readonly number[];
  readonly #terms: readonly string[];
  readonly #places: ReadonlyMap<string, number>;
  /** Where each document that was met lies; kept only where there is a choice. */
  readonly #homes = new Map<number, number>();

  constructor(
    tx: Queryable,
    schema: BoundSchema,
    of: { readonly namespaceIds: readonly number[]; readonly terms: readonly string[] },
  ) {
    this.#tx = tx;
    this.#schema = schema;
    this.#namespaceIds = of.namespaceIds;
    this.#terms = of.terms;
    this.#places = new Map(of.terms.map((term, place) => [term, place]));
  }

  /** Documents that hold each term, the excluded too. */
  async count(): Promise<readonly number[]> {
    const rows = await this.#query(COUNT, [this.#namespaceIds, this.#terms]);
    const counts = this.#terms.map(() => 0);
    for (const row of rows) counts[this.#placeOf(row)] = numberIn(row, "documents");
    return counts;
  }

  async excluded(what: {
    readonly nowMs: number;
    readonly changed: readonly { readonly namespaceId: number; readonly key: string }[];
  }): Promise<
    readonly {
      readonly document: number;
      readonly length: number;
      readonly terms: readonly string[];
    }[]
  > {
    const rows = await this.#query(EXCLUDED, [
      this.#namespaceIds,
      this.#terms,
      what.nowMs,
      what.changed.map(({ namespaceId }) => namespaceId),
      what.changed.map(({ key }) => key),
    ]);
    return rows.map((row) => ({
      document: numberIn(row, "id"),
      length: numberIn(row, "length"),
      terms: textsIn(row, "terms"),
    }));
  }

  async scan(terms: readonly number[]): Promise<readonly PostingList[]> {
    if (terms.length === 0) return [];
    const rows = await this.#query(SCAN, [this.#namespaceIds, this.#named(terms)]);
    const lists = this.#lists(rows);
    if (this.#namespaceIds.length > 1)
      for (const row of rows) {
        const home = numberIn(row, "namespace_id");
        for (const document of numbersIn(row, "documents")) this.#homes.set(document, home);
      }
    return terms.map((term) => lists[term] ?? NOTHING);
  }

  async lookUp(
    terms: readonly number[],
    documents: readonly number[],
  ): Promise<readonly PostingList[]> {
    const [only = 0] = this.#namespaceIds;
    const homes = documents.map((document) => this.#homes.get(document) ?? only);
    const rows = await this.#query(LOOK_UP, [homes, documents, this.#named(terms)]);
    const lists = this.#lists(rows);
    return terms.map((term) => lists[term] ?? NOTHING);
  }

  #query(
    statement: Statement,
    values: NonNullable<Parameters<Queryable["query"]>[1]>,
  ): Promise<readonly Row[]> {
    return this.#tx.query(this.#schema.bind(statement), values);
  }

  #named(terms: readonly number[]): readonly string[] {
    return terms.map((term) => this.#terms[term] ?? "");
  }

  #placeOf(row: Row): number {
    return this.#places.get(textIn(row, "term")) ?? 0;
  }

  /** By place of the term; the rows of one term are of several namespaces. */
  #lists(rows: readonly Row[]): readonly (PostingList | undefined)[] {
    const lists: (OpenList | undefined)[] = [];
    for (const row of rows) {
      const place = this.#placeOf(row);
      const list = lists[place] ?? { documents: [], frequencies: [], lengths: [] };
      lists[place] = list;
      append(list.documents, numbersIn(row, "documents"));
      append(list.frequencies, numbersIn(row, "frequencies"));
      append(list.lengths, numbersIn(row, "lengths"));
    }
    return lists;
  }
}

interface OpenList {
  readonly documents: number[];
  readonly frequencies: number[];
  readonly lengths: number[];
}

/** One by one: a hundred thousand are too many for the arguments of one call. */
function append(list: number[], more: readonly number[]): void {
  for (const one of more) list.push(one);
}

const NOTHING: PostingList = { documents: [], frequencies: [], lengths: [] };

/** An int8[], which the drivers give as numbers. */
function numbersIn(row: Row, column: string): readonly number[] {
  return (optionalListIn(row, column) ?? []) as readonly number[];
}

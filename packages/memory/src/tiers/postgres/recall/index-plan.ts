import type { FreshDocument, StoredDocument } from "./document-rows.ts";

export interface PostingRef {
  readonly namespaceId: number;
  readonly term: string;
  readonly document: number;
}

export interface Posting extends PostingRef {
  readonly frequency: number;
  readonly length: number;
}

export interface DocumentRow extends FreshDocument {
  readonly namespaceId: number;
  readonly document: number;
}

/** What one step writes. Decided here, carried out elsewhere. */
export interface IndexPlan {
  readonly documents: readonly DocumentRow[];
  readonly goneDocuments: readonly number[];
  readonly postings: readonly Posting[];
  readonly gonePostings: readonly PostingRef[];
  /** By how much the number of documents with a term changes. */
  readonly terms: readonly {
    readonly namespaceId: number;
    readonly term: string;
    readonly by: number;
  }[];
  readonly namespaces: readonly {
    readonly namespaceId: number;
    readonly documents: number;
    readonly terms: number;
  }[];
}

/** An item that is to be indexed as it is now: `fresh` or not at all, in the place of `stored`. */
export interface Replacement {
  readonly stored: StoredDocument | undefined;
  readonly fresh: FreshDocument | undefined;
  /** Of the fresh one, when there is no stored one. */
  readonly namespaceId: number;
  readonly document: number;
}

/** Takes back what each stored document brought and adds what the fresh one brings. */
export function planIndexing(replacements: readonly Replacement[]): IndexPlan {
  const documents: DocumentRow[] = [];
  const goneDocuments: number[] = [];
  const postings: Posting[] = [];
  const gonePostings: PostingRef[] = [];
  const totals = new Totals();
  for (const { stored, fresh, ...made } of replacements) {
    const { namespaceId, document } = stored ?? made;
    if (fresh !== undefined) documents.push({ ...fresh, namespaceId, document });
    else if (stored !== undefined) goneDocuments.push(document);
    if (stored !== undefined && fresh !== undefined && hasSameTerms(stored, fresh)) continue;
    if (stored !== undefined) {
      for (const term of stored.terms) {
        gonePostings.push({ namespaceId, term, document });
        totals.addTerm(namespaceId, term, -1);
      }
      totals.add(namespaceId, { documents: -1, terms: -stored.length });
    }
    if (fresh !== undefined) {
      const { length } = fresh;
      for (const [term, frequency] of fresh.frequencies) {
        postings.push({ namespaceId, term, document, frequency, length });
        totals.addTerm(namespaceId, term, 1);
      }
      totals.add(namespaceId, { documents: 1, terms: length });
    }
  }
  return { documents, goneDocuments, postings, gonePostings, ...totals.changed() };
}

function hasSameTerms(stored: StoredDocument, fresh: FreshDocument): boolean {
  return (
    stored.terms.length === fresh.frequencies.size &&
    stored.terms.every((term, at) => fresh.frequencies.get(term) === stored.frequencies[at])
  );
}

class Totals {
  readonly #terms = new Map<number, Map<string, number>>();
  readonly #namespaces = new Map<number, { documents: number; terms: number }>();

  addTerm(namespaceId: number, term: string, by: number): void {
    const terms = this.#terms.get(namespaceId) ?? new Map<string, number>();
    this.#terms.set(namespaceId, terms);
    terms.set(term, (terms.get(term) ?? 0) + by);
  }

  add(namespaceId: number, by: { readonly documents: number; readonly terms: number }): void {
    const total = this.#namespaces.get(namespaceId) ?? { documents: 0, terms: 0 };
    total.documents += by.documents;
    total.terms += by.terms;
    this.#namespaces.set(namespaceId, total);
  }

  changed(): Pick<IndexPlan, "terms" | "namespaces"> {
    const terms = [...this.#terms].flatMap(([namespaceId, changes]) =>
      [...changes].filter(([, by]) => by !== 0).map(([term, by]) => ({ namespaceId, term, by })),
    );
    const namespaces = [...this.#namespaces].map(([namespaceId, by]) => ({ namespaceId, ...by }));
    return { terms, namespaces };
  }
}

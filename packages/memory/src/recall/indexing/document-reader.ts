import type { Codec } from "../../codec/codec.ts";
import { MemoryError } from "../../model/errors.ts";
import type { JsonValue } from "../../model/item.ts";
import type {
  DocumentFacts,
  DocumentReader,
  ReadDocument,
  StoredItem,
} from "../../tiers/keyword.ts";
import type { Analyser } from "../text/analyser.ts";
import { memoryFacts } from "../memory-item.ts";
import { searchableText } from "../text/searchable-text.ts";
import { decodeIndexing } from "./stored-indexing.ts";

/** Raised by any change that reads other text or facts from some item. */
const READER_VERSION = 2;

const NO_TERMS: ReadDocument = Object.freeze({ terms: [] });

/** Reads items for the index, and queries as the items were read. */
export class ItemReader implements DocumentReader {
  readonly #codec: Codec;
  readonly analyser: Analyser;

  constructor(parts: { readonly codec: Codec; readonly analyser: Analyser }) {
    this.#codec = parts.codec;
    this.analyser = parts.analyser;
  }

  /** Another writing key makes other terms: the index is then made anew. */
  get id(): string {
    const { blindingKeyId } = this.#codec;
    const key = blindingKeyId === undefined ? "" : `/key:${blindingKeyId}`;
    return `${this.analyser.id}/${READER_VERSION}${key}`;
  }

  read(item: StoredItem): ReadDocument | undefined {
    try {
      const indexing = decodeIndexing(this.#codec, item);
      if (indexing?.index === false) return undefined;
      const value = this.#codec.decode(item.body, item);
      return { terms: this.terms(searchableText(value, indexing)), ...this.#facts(value) };
    } catch (error) {
      // A damaged item is for its readers to report: it must not stop the index for all others.
      if (error instanceof MemoryError) return NO_TERMS;
      throw error;
    }
  }

  /** As they are in the index: blinded where bodies are encrypted. */
  terms(text: string): readonly string[] {
    const terms = this.plainTerms(text);
    if (this.#codec.blindingKeyId === undefined) return terms;
    return terms.map((term) => this.#codec.blind(term));
  }

  plainTerms(text: string): readonly string[] {
    return this.analyser.terms(text);
  }

  /** What lies in the index in clear says as little of an encrypted item as can be. */
  #facts(value: JsonValue): DocumentFacts {
    const facts = memoryFacts(value);
    if (this.#codec.blindingKeyId === undefined) return facts;
    const { speaker: _, session, ...rest } = facts;
    return session === undefined ? rest : { ...rest, session: this.#codec.blind(session) };
  }
}

import { Buffer } from "node:buffer";
import { createHmac, createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { MemoryError } from "../model/errors.ts";

export interface EncryptionKey {
  /** Stored with each body, so that old keys can still read what they wrote. */
  readonly id: string;
  readonly secret: KeyObject;
}

const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
const BASE64 = /^[A-Za-z0-9+/_-]{42,43}=?$/;
const KEY_BYTES = 32;
/** 96 bits: two of a billion texts fall together once in a hundred billion times. */
const BLINDED_BYTES = 12;
/** Texts whose hash is remembered; words come again and again. */
const BLINDED_MAX = 50_000;

/** The encryption keys in force: the first one writes, all of them read. */
export class KeyRing {
  readonly #keys = new Map<string, EncryptionKey>();
  /** Undefined: bodies are written in clear. */
  readonly writer: EncryptionKey | undefined;
  readonly #blinding: Buffer | undefined;
  readonly #blinded = new Map<string, string>();

  /** Each key as `id:base64` of 32 bytes. Throws INVALID_CONFIG without showing any secret. */
  constructor(encryptionKeys: readonly string[]) {
    for (const [index, text] of encryptionKeys.entries()) {
      const key = parseKey(text, `security.encryptionKeys[${index}]`);
      if (this.#keys.has(key.id))
        throw invalid(`security.encryptionKeys[${index}]`, `the id ${key.id} is there twice`);
      this.#keys.set(key.id, key);
    }
    [this.writer] = this.#keys.values();
    const secret = this.writer?.secret.export();
    // A key of its own: what encrypts must not also hash.
    this.#blinding = secret && createHmac("sha256", secret).update("cherry: blind").digest();
  }

  /** Equal for equal texts under one writing key; see Codec. */
  blind(text: string): string {
    if (this.#blinding === undefined) return text;
    const known = this.#blinded.get(text);
    if (known !== undefined) return known;
    if (this.#blinded.size >= BLINDED_MAX) this.#blinded.clear();
    const digest = createHmac("sha256", this.#blinding).update(text).digest();
    const blinded = digest.toString("base64url", 0, BLINDED_BYTES);
    this.#blinded.set(text, blinded);
    return blinded;
  }

  find(id: string): EncryptionKey | undefined {
    return this.#keys.get(id);
  }
}

function parseKey(text: string, field: string): EncryptionKey {
  const colon = text.indexOf(":");
  const id = text.slice(0, colon);
  if (colon < 0 || !KEY_ID.test(id))
    throw invalid(field, "expected id:base64, the id of 1 to 64 letters, digits, - or _");
  const encoded = text.slice(colon + 1).trim();
  const bytes = BASE64.test(encoded) ? Buffer.from(encoded, "base64") : Buffer.alloc(0);
  if (bytes.length !== KEY_BYTES)
    throw invalid(
      field,
      `key ${id} is not base64 of ${KEY_BYTES} bytes; make one with: openssl rand -base64 ${KEY_BYTES}`,
    );
  return { id, secret: createSecretKey(bytes) };
}

function invalid(field: string, fault: string): MemoryError {
  return new MemoryError("INVALID_CONFIG", `${field}: ${fault}`, { field });
}

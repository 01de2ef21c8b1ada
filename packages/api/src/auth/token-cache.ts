import { hash } from "node:crypto";
import type { Identity } from "./identity.ts";

/**
 * Tokens that were verified: a signature costs more than a read from memory. Bounded, the least
 * recently used goes first. Keyed by a hash, so that no token lies in the heap for long.
 */
export class TokenCache {
  readonly #entries = new Map<string, Identity>();
  readonly #tokensMax: number;

  constructor(tokensMax: number) {
    this.#tokensMax = tokensMax;
  }

  find(token: string, nowMs: number): Identity | undefined {
    const id = idOf(token);
    const identity = this.#entries.get(id);
    if (identity === undefined) return undefined;
    this.#entries.delete(id);
    if (nowMs >= identity.expiresAtMs) return undefined;
    this.#entries.set(id, identity);
    return identity;
  }

  keep(token: string, identity: Identity): void {
    if (this.#entries.size >= this.#tokensMax)
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    this.#entries.set(idOf(token), identity);
  }

  clear(): void {
    this.#entries.clear();
  }

  get size(): number {
    return this.#entries.size;
  }
}

function idOf(token: string): string {
  return hash("sha256", token, "base64");
}

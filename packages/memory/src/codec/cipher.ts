import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { ItemRef } from "../model/item.ts";
import { CHECK_AT } from "./format.ts";
import type { EncryptionKey } from "./key-ring.ts";

const ALGORITHM = "aes-256-gcm";
/** Random nonces of 96 bits are safe for 2^32 bodies a key: rotate the key before that. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The encrypted part of a body: key id, nonce, ciphertext and tag. */
export function seal(
  key: EncryptionKey,
  input: { readonly header: Uint8Array; readonly plain: Uint8Array; readonly ref: ItemRef },
): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.secret, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(input.header, input.ref));
  const id = Buffer.from(key.id, "latin1");
  const sealed = [cipher.update(input.plain), cipher.final()];
  return Buffer.concat([Buffer.of(id.length), id, nonce, ...sealed, cipher.getAuthTag()]);
}

/** Where the parts of a sealed payload lie; undefined when it is too short to have them. */
export function splitSealed(
  sealed: Buffer,
):
  | { readonly keyId: string; readonly nonce: Buffer; readonly text: Buffer; readonly tag: Buffer }
  | undefined {
  const nonceAt = 1 + (sealed[0] ?? 0);
  const textAt = nonceAt + NONCE_BYTES;
  const tagAt = sealed.length - TAG_BYTES;
  if (tagAt < textAt) return undefined;
  return {
    keyId: sealed.toString("latin1", 1, nonceAt),
    nonce: sealed.subarray(nonceAt, textAt),
    text: sealed.subarray(textAt, tagAt),
    tag: sealed.subarray(tagAt),
  };
}

/** Decrypts; throws when anything, the address included, is not what was sealed. */
export function unseal(
  key: EncryptionKey,
  input: {
    readonly header: Uint8Array;
    readonly nonce: Uint8Array;
    readonly text: Uint8Array;
    readonly tag: Uint8Array;
    readonly ref: ItemRef;
  },
): Buffer {
  const decipher = createDecipheriv(ALGORITHM, key.secret, input.nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(boundTo(input.header, input.ref));
  decipher.setAuthTag(input.tag);
  return Buffer.concat([decipher.update(input.text), decipher.final()]);
}

/** Version, flags, length and the item's address: a body moved to another key does not open. */
function boundTo(header: Uint8Array, ref: ItemRef): Buffer {
  const address = Buffer.from(`${ref.namespace}\u0000${ref.key}`, "utf8");
  return Buffer.concat([header.subarray(0, CHECK_AT), address]);
}

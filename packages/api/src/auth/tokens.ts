import type { IncomingMessage } from "node:http";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import type { Clock, Limits } from "@cherry-ai/memory";
import type { Logger } from "pino";
import type { AuthConfig } from "../config/api-config.ts";
import { HttpError } from "../http/http-error.ts";
import type { Authenticator } from "./authenticator.ts";
import { identityOf } from "./claims.ts";
import type { Identity } from "./identity.ts";
import { isDirectLocal } from "./loopback.ts";
import { SecretRing } from "./secret-ring.ts";
import { TokenCache } from "./token-cache.ts";

const TOKENS_CACHED_MAX = 10_000;
const BEARER = /^bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i;
/** Longer ones are no tokens of ours; hashing and parsing them would only cost. */
const TOKEN_CHARACTERS_MAX = 8_192;
const CLOCK_SKEW_SECONDS = 5;
const JWKS_TIMEOUT_MS = 3_000;
/** Public keys only: with a shared secret among them, anybody could sign by the public key. */
const PUBLIC_ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

type TokenAuth = Exclude<AuthConfig, { kind: "loopback" }>;

export interface TokenAuthenticatorOptions {
  readonly auth: TokenAuth;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Verify = (token: string, options: JWTVerifyOptions) => Promise<JWTPayload>;

/** Tokens of `Authorization: Bearer`, verified once and remembered until they expire. */
export class TokenAuthenticator implements Authenticator {
  readonly #options: TokenAuthenticatorOptions;
  readonly #cache = new TokenCache(TOKENS_CACHED_MAX);
  readonly #verify: Verify;
  readonly #ring: SecretRing | undefined;
  /** Counts changes of the secrets: what an old one verified is not remembered past the change. */
  #generation = 0;

  constructor(options: TokenAuthenticatorOptions) {
    this.#options = options;
    const { auth, clock, logger } = options;
    if (auth.kind === "jwks") {
      const keys = createRemoteJWKSet(auth.url, { timeoutDuration: JWKS_TIMEOUT_MS });
      this.#verify = publicVerifier(keys);
      return;
    }
    const ring = new SecretRing({ ...auth, clock, logger, onChange: () => this.#forget() });
    this.#ring = ring;
    this.#verify = secretVerifier(ring);
    void ring.follow();
  }

  admit(): void {}

  identify(req: IncomingMessage): Identity | Promise<Identity> {
    const header = req.headers.authorization;
    if (header === undefined) throw refusal("a token is needed: Authorization: Bearer …", false);
    const token = header.length > TOKEN_CHARACTERS_MAX ? undefined : BEARER.exec(header)?.[1];
    if (token === undefined) throw refusal("Authorization: expected Bearer and a JWT", true);
    return this.#cache.find(token, this.#options.clock.wallMs()) ?? this.#check(token);
  }

  isDirectLocal(req: IncomingMessage): boolean {
    return isDirectLocal(req);
  }

  close(): void {
    this.#ring?.close();
  }

  async #check(token: string): Promise<Identity> {
    const { auth, clock, limits } = this.#options;
    const nowMs = clock.wallMs();
    const generation = this.#generation;
    let claims: JWTPayload;
    try {
      claims = await this.#verify(token, {
        ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
        ...(auth.audience === undefined ? {} : { audience: auth.audience }),
        requiredClaims: ["exp", "sub"],
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(nowMs),
      });
    } catch (error) {
      throw this.#translate(error);
    }
    const expiresAtMs = ((claims.exp ?? 0) + CLOCK_SKEW_SECONDS) * 1000;
    const identity = identityOf(claims, expiresAtMs, limits);
    if (typeof identity === "string") throw refusal(`token: ${identity}`, true);
    if (generation === this.#generation) this.#cache.keep(token, identity);
    return identity;
  }

  #forget(): void {
    this.#generation += 1;
    this.#cache.clear();
  }

  #translate(error: unknown): Error {
    if (error instanceof errors.JWTExpired) return refusal("the token has expired", true);
    if (error instanceof errors.JWTClaimValidationFailed)
      return refusal(`the token's claim ${error.claim} is not as expected`, true);
    // The provider of public keys cannot be asked: that is our trouble, not the caller's.
    if (isUnavailable(error)) {
      this.#options.logger.warn({ err: error }, "a token could not be judged");
      return new HttpError("AUTH_UNAVAILABLE", "the keys that verify tokens cannot be read now");
    }
    return refusal("the token is not valid", true);
  }
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  // The generic code is what a provider that answers other than 200, or no JSON, gives.
  return ["ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID", "ERR_JOSE_GENERIC"].includes(error.code);
}

function publicVerifier(keys: JWTVerifyGetKey): Verify {
  return async (token, options) =>
    (await jwtVerify(token, keys, { ...options, algorithms: PUBLIC_ALGORITHMS })).payload;
}

function secretVerifier(ring: SecretRing): Verify {
  return async (token, options) => {
    let failure: unknown;
    for (const key of ring.keys) {
      try {
        return (await jwtVerify(token, key, { ...options, algorithms: ["HS256"] })).payload;
      } catch (error) {
        failure = error;
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw failure;
  };
}

/** RFC 6750: a request without a token gets the bare challenge, a bad token its error. */
function refusal(message: string, hadToken: boolean): HttpError {
  const challenge = hadToken ? 'Bearer error="invalid_token"' : "Bearer";
  return new HttpError("UNAUTHENTICATED", message, { headers: ["WWW-Authenticate", challenge] });
}

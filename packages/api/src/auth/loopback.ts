import type { IncomingMessage } from "node:http";
import { HttpError } from "../http/http-error.ts";
import type { Authenticator } from "./authenticator.ts";
import { LOCAL_ADMIN } from "./identity.ts";
import type { Identity } from "./identity.ts";

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
const LOOPBACK_ADDRESS = /^(::ffff:)?127\.|^::1$/;

/** Whether a Host header names this machine as it is reached from itself. */
function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK_HOST.test(host);
}

function isProxied(req: IncomingMessage): boolean {
  return req.headers.forwarded !== undefined || req.headers["x-forwarded-for"] !== undefined;
}

/** Whether the request came straight from this machine. */
export function isDirectLocal(req: IncomingMessage): boolean {
  const address = req.socket.remoteAddress ?? "";
  return LOOPBACK_ADDRESS.test(address) && !isProxied(req) && isLoopbackHost(req.headers.host);
}

/**
 * No tokens: whoever sits on this machine may do anything, so nobody else may do a thing. A proxy
 * would make strangers look local, and a foreign Host is a web page that rebinds its name to us.
 */
export class LoopbackAuthenticator implements Authenticator {
  #goodHost: string | undefined;

  admit(req: IncomingMessage): void {
    if (isProxied(req))
      throw new HttpError(
        "FORBIDDEN",
        "requests through a proxy (Forwarded, X-Forwarded-For) need tokens: set CHERRY_JWT_SECRET or CHERRY_JWKS_URL",
      );
    const { host } = req.headers;
    // One client sends the same Host all the time: a comparison is cheaper than the pattern.
    if (host !== undefined && host === this.#goodHost) return;
    if (!isLoopbackHost(host))
      throw new HttpError(
        "FORBIDDEN",
        "Host: expected a loopback name such as localhost, because no JWT setting is there",
        { field: "Host" },
      );
    this.#goodHost = host;
  }

  identify(): Identity {
    return LOCAL_ADMIN;
  }

  isDirectLocal(req: IncomingMessage): boolean {
    return isDirectLocal(req);
  }

  close(): void {}
}

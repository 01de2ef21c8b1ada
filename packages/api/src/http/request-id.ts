import { randomBytes } from "node:crypto";

const GIVEN = /^[\w.:-]{1,128}$/;

/** Ids of requests: the caller's own when it is decent, else one that no other process gives. */
export class RequestIds {
  readonly #prefix = randomBytes(6).toString("base64url");
  #count = 0;

  next(given: string | readonly string[] | undefined): string {
    if (typeof given === "string" && GIVEN.test(given)) return given;
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }
}

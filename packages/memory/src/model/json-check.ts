import { MemoryError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import type { JsonValue } from "./item.ts";
import { describe, textFault } from "./text.ts";

/** What is being checked and how strictly. */
export interface JsonRules {
  /** Code of a refusal. */
  readonly code: ErrorCode;
  /** Name of the input in messages. */
  readonly field: string;
  readonly depthMax: number;
  /** Bytes of JSON text beyond which the whole input is refused anyway. */
  readonly bytesMax: number;
  readonly tooLarge: ErrorCode;
  /** Refuse text that has no place in the database's JSON: NUL and lone surrogates. */
  readonly storableText: boolean;
}

/**
 * Walks a value once and refuses what JSON cannot say. Recursion is bounded by the depth limit and
 * the walk by the byte limit (every node is at least a byte of JSON), so that neither a value
 * 100,000 deep nor one object shared 2^60 times can hurt. Nothing is copied unless a Date is in it.
 */
export class JsonCheck {
  readonly #rules: JsonRules;
  /** Names and objects from the root to where the walk is. */
  readonly #path: (string | number)[] = [];
  readonly #ancestors: object[] = [];
  #bytesAtLeast = 0;

  constructor(rules: JsonRules) {
    this.#rules = rules;
  }

  /** The value itself, or a copy in which each Date is its ISO 8601 text. */
  check(value: unknown, depth = 0): JsonValue {
    switch (typeof value) {
      case "string":
        this.#checkText(value, depth);
        this.#count(value.length + 2, depth);
        return value;
      case "number":
        if (!Number.isFinite(value))
          throw this.#refusal(depth, `${value} has no JSON form; store null or a string`);
        this.#count(1, depth);
        return value;
      case "boolean":
        this.#count(1, depth);
        return value;
      case "object":
        if (value === null) {
          this.#count(1, depth);
          return value;
        }
        return this.#checkObject(value, depth);
      case "bigint":
        throw this.#refusal(depth, "a bigint has no JSON form; store it as a string");
      case "undefined":
        throw this.#refusal(depth, "undefined has no JSON form; store null, or leave it out");
      default:
        throw this.#refusal(depth, `${describe(value)} has no JSON form`);
    }
  }

  #checkObject(value: object, depth: number): JsonValue {
    this.#count(2, depth);
    if (depth >= this.#rules.depthMax) throw this.#tooDeep(value, depth);
    this.#ancestors[depth] = value;
    if (Array.isArray(value)) return this.#checkArray(value, depth);
    if (value instanceof Date) return this.#checkDate(value, depth);
    if (!isPlainObject(value)) throw this.#refusal(depth, adviceFor(value));
    return this.#checkMembers(value, depth);
  }

  #checkArray(list: readonly unknown[], depth: number): JsonValue {
    if ("toJSON" in list) throw this.#refusal(depth, "an array with a toJSON method; remove it");
    let copy: JsonValue[] | undefined;
    for (let index = 0; index < list.length; index += 1) {
      this.#path[depth] = index;
      const element = list[index];
      const checked = this.check(element, depth + 1);
      if (checked === element) continue;
      // Elements not yet walked are overwritten below if they need it; all of them are checked.
      copy ??= list.slice() as JsonValue[];
      copy[index] = checked;
    }
    return copy ?? (list as readonly JsonValue[]);
  }

  #checkMembers(members: object, depth: number): JsonValue {
    let copy: { [name: string]: JsonValue } | undefined;
    for (const name of Object.keys(members)) {
      this.#path[depth] = name;
      this.#checkText(name, depth + 1);
      this.#count(name.length + 3, depth + 1);
      const member: unknown = (members as { [name: string]: unknown })[name];
      const checked = this.check(member, depth + 1);
      if (checked === member) continue;
      // A spread defines `__proto__` as an ordinary member, so assigning it afterwards is safe.
      copy ??= { ...(members as { [name: string]: JsonValue }) };
      copy[name] = checked;
    }
    return copy ?? (members as { readonly [name: string]: JsonValue });
  }

  #checkDate(date: Date, depth: number): string {
    if (Number.isNaN(date.getTime()))
      throw this.#refusal(depth, "an invalid Date; store null or a valid one");
    return date.toISOString();
  }

  #checkText(text: string, depth: number): void {
    if (!this.#rules.storableText) return;
    const fault = textFault(text);
    if (fault !== undefined) throw this.#refusal(depth, `text that ${fault}`);
  }

  #count(bytes: number, depth: number): void {
    this.#bytesAtLeast += bytes;
    if (this.#bytesAtLeast <= this.#rules.bytesMax) return;
    const { field, bytesMax, tooLarge } = this.#rules;
    const ancestors = this.#ancestors.slice(0, depth);
    if (new Set(ancestors).size < ancestors.length) throw this.#cycle(depth);
    throw new MemoryError(
      tooLarge,
      `${this.#fieldAt(depth)}: ${field} is over ${bytesMax} bytes of JSON; store it in parts`,
      { field },
    );
  }

  #tooDeep(value: object, depth: number): MemoryError {
    if (this.#ancestors.slice(0, depth).includes(value)) return this.#cycle(depth);
    return this.#refusal(depth, `nested more than ${this.#rules.depthMax} deep; flatten it`);
  }

  #cycle(depth: number): MemoryError {
    return this.#refusal(depth, "a cycle: the value contains itself");
  }

  #refusal(depth: number, fault: string): MemoryError {
    const field = this.#fieldAt(depth);
    return new MemoryError(this.#rules.code, `${field}: ${fault}`, { field });
  }

  /** Where the walk is, such as `value.users[3].name`; a long path is cut in the middle. */
  #fieldAt(depth: number): string {
    const SHOWN_MAX = 6;
    const steps = this.#path
      .slice(0, depth)
      .map((step) => (typeof step === "number" ? `[${step}]` : `.${step.slice(0, 60)}`));
    const shown =
      steps.length <= SHOWN_MAX ? steps : [...steps.slice(0, 3), "…", ...steps.slice(-3)];
    return `${this.#rules.field}${shown.join("")}`;
  }
}

/** An object literal, also from another realm, or one without a prototype. */
export function isPlainObject(value: unknown): value is { readonly [name: string]: unknown } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return (
    typeof prototype === "object" &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "hasOwnProperty")
  );
}

/** What to do with an object that JSON would lose or change without a word. */
function adviceFor(value: object): string {
  const what = describe(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `${what} has no JSON form; store base64 text or an array of numbers`;
  if (value instanceof Map) return "a Map has no JSON form; store Object.fromEntries(map)";
  if (value instanceof Set) return "a Set has no JSON form; store [...set]";
  if (value instanceof Error) return `${what} has no JSON form; store its name and message`;
  if (value instanceof Promise) return "a Promise has no JSON form; await it first";
  return `${what} is not a plain object; store a plain one such as { ...it }`;
}

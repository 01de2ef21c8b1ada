import type { Statement } from "./database.ts";
import { inSchema } from "./schema.ts";

/** Statements with `{{schema}}` filled in, each made once: a prepared statement must keep its text. */
export class BoundSchema {
  readonly name: string;
  readonly #bound = new Map<Statement, Statement>();

  constructor(name: string) {
    this.name = name;
  }

  bind(template: Statement): Statement {
    let bound = this.#bound.get(template);
    if (bound === undefined) {
      bound = { ...template, text: this.text(template.text) };
      this.#bound.set(template, bound);
    }
    return bound;
  }

  text(template: string): string {
    return inSchema(template, this.name);
  }
}

import type { Answer, Assignment, Call, Value } from "./protocol.ts";

export type Loader = (namespace: string, key: string) => Promise<Value>;

/** One of what is tortured, in a server's process. */
export interface Subject {
  /** Whether it knows session tokens. */
  readonly sessions: boolean;
  /** Rejects with an error that has a `code` where the subject has such. */
  run(call: Exclude<Call, { op: "close" | "skewClock" }>): Promise<Answer> | Answer;
  /** A wall clock that differs from the others'. */
  skewClock(byMs: number): void;
  close(): Promise<void>;
}

export type SubjectFactory = (assignment: Assignment, load: Loader) => Promise<Subject>;

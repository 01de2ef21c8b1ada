import type { CommandResult } from "./command.ts";

/** One thing that `pnpm check` does. */
export interface Step {
  readonly name: string;
  /** In words, for a person that sees it fail. */
  readonly what: string;
  run(): Promise<Pick<CommandResult, "code" | "output">>;
}

export interface StepResult {
  readonly name: string;
  readonly what: string;
  readonly ok: boolean;
  readonly output: string;
  readonly elapsedMs: number;
}

/** Runs every step, `parallel` at a time, in their order; a failure stops none of the others. */
export async function runSteps(
  steps: readonly Step[],
  parallel: number,
  onEnd: (result: StepResult) => void,
): Promise<readonly StepResult[]> {
  const waiting = [...steps];
  const results: StepResult[] = [];
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const result = await runStep(step);
      results.push(result);
      onEnd(result);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return steps.flatMap((step) => results.filter((result) => result.name === step.name));
}

async function runStep(step: Step): Promise<StepResult> {
  const start = performance.now();
  const { name, what } = step;
  try {
    const { code, output } = await step.run();
    return { name, what, ok: code === 0, output, elapsedMs: performance.now() - start };
  } catch (error) {
    const output = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { name, what, ok: false, output, elapsedMs: performance.now() - start };
  }
}

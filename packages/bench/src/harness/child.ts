/** A contender's process: makes it, warms it up, then measures a round whenever it is told to. */
import type { Answer, Assignment, Contender, Contenders, Request } from "./contender.ts";
import { Measure } from "./measure.ts";

function send(answer: Answer): void {
  process.send?.(answer);
}

function fail(error: unknown): void {
  send({ kind: "failed", message: error instanceof Error ? (error.stack ?? "") : String(error) });
}

async function make(assignment: Assignment): Promise<Contender> {
  const module = (await import(assignment.module)) as { readonly contenders?: Contenders };
  const factory = module.contenders?.[assignment.contender];
  if (factory === undefined)
    throw new Error(`${assignment.module} has no contender ${assignment.contender}`);
  return factory(assignment.options);
}

async function main(): Promise<void> {
  const assignment = JSON.parse(process.argv[2] ?? "") as Assignment;
  const contender = await make(assignment);
  const measure = new Measure(contender, assignment.plan);
  // Without its parent nobody wants the figures: nothing may be left behind.
  process.on("disconnect", () => process.exit(1));
  await measure.warmUp();
  const answer = async (request: Request): Promise<void> => {
    if (request.kind === "round") return send({ kind: "sample", sample: await measure.round() });
    await contender.close();
    process.disconnect();
    process.exit(0);
  };
  process.on("message", (request: Request) => void answer(request).catch(fail));
  send({ kind: "ready" });
}

main().catch(fail);

import type { ViolationCounts } from "./checker/checker.ts";
import { VIOLATION_KINDS } from "./checker/violation.ts";
import type { Violation } from "./checker/violation.ts";
import type { TortureOptions } from "./torture-options.ts";
import type { Mix } from "./workload/worker.ts";
import type { Availability, Tally } from "./workload/tally.ts";

/** The document that `--json` prints. */
export interface TortureReport {
  readonly subject: string;
  readonly redis: boolean;
  readonly servers: number;
  readonly seconds: number;
  readonly seed: number;
  readonly boundMs: number;
  readonly operations: number;
  readonly faults: { readonly [name: string]: number };
  readonly violations: ViolationCounts;
  readonly availability: { readonly byFault: { readonly [fault: string]: Availability } };
  /** Writes of which nobody knows whether they happened. */
  readonly outcomeUnknown: number;
  /** Loader calls for one item that all servers miss at once, undisturbed. */
  readonly loaderCallsPerMiss: number | null;
  /** Of the violations: values that a loader put back although they had been overtaken. */
  readonly staleLoads: number;
  /** Answers that could be judged, by kind of request. */
  readonly checked: { readonly [kind: string]: number };
  /** The first violations, in words. */
  readonly examples: readonly Violation[];
  /** Why the run does not count as passed, beside violations. */
  readonly problems: readonly string[];
  readonly passed: boolean;
}

interface Findings {
  readonly options: TortureOptions;
  readonly violations: readonly Violation[];
  readonly counts: ViolationCounts;
  readonly staleLoads: number;
  readonly struck: { readonly [name: string]: number };
  readonly tally: Tally;
  readonly sessions: boolean;
  readonly loaderCallsPerMiss: number;
  readonly problems: readonly string[];
}

const EXAMPLES_A_KIND_MAX = 5;
/** Fewer requests say nothing about a share. */
const REQUESTS_MIN = 50;

/** What each operation of the mix must have brought at least once. */
const CHECKS: readonly (readonly [keyof Mix, readonly string[]])[] = [
  ["get", ["any", "quiet", "present", "absent"]],
  ["latest", ["latest"]],
  ["peek", ["peek"]],
  ["getMany", ["getMany"]],
  ["set", ["set"]],
  ["fleeting", ["setWithTtl"]],
  ["delete", ["delete"]],
  ["forget", ["forget"]],
  ["clear", ["clear"]],
  ["batch", ["batch"]],
  ["increment", ["increment"]],
  ["getOrSet", ["getOrSet"]],
];

/** Makes the report, and says whether the run passed. */
export function judge(findings: Findings): TortureReport {
  const { options, violations, counts, tally, struck } = findings;
  const problems = [...findings.problems, ...unchecked(findings), ...unserved(findings)];
  const { subject, servers, seconds, seed, withRedis, boundMs } = options;
  return {
    subject,
    redis: withRedis,
    servers,
    seconds,
    seed,
    boundMs,
    operations: tally.operations,
    faults: struck,
    violations: counts,
    availability: { byFault: tally.byFault },
    outcomeUnknown: tally.outcomeUnknown,
    loaderCallsPerMiss: Number.isNaN(findings.loaderCallsPerMiss)
      ? null
      : findings.loaderCallsPerMiss,
    staleLoads: findings.staleLoads,
    checked: tally.checks,
    examples: VIOLATION_KINDS.flatMap((kind) =>
      violations.filter((violation) => violation.kind === kind).slice(0, EXAMPLES_A_KIND_MAX),
    ),
    problems,
    passed: problems.length === 0 && violations.length === 0,
  };
}

/** A kind that was never checked proves nothing: the run fails. */
function unchecked({ options, tally, sessions }: Findings): string[] {
  const asked = CHECKS.filter(([operation]) => options.mix[operation] > 0).flatMap(
    ([, kinds]) => kinds,
  );
  const needed = sessions && options.mix.session > 0 ? [...asked, "session"] : asked;
  return needed
    .filter((kind) => (tally.checks[kind] ?? 0) === 0)
    .map((kind) => `nothing of kind ${kind} was checked`);
}

function unserved({ options, tally }: Findings): string[] {
  return options.faults.flatMap(({ name, failedShareMax }) => {
    const counts = tally.byFault[name];
    if (failedShareMax === undefined || counts === undefined || counts.requests < REQUESTS_MIN)
      return [];
    if (counts.failed <= failedShareMax * counts.requests) return [];
    return [
      `${name}: ${counts.failed} of ${counts.requests} requests failed, at most ${failedShareMax * 100} % may`,
    ];
  });
}

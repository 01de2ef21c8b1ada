import { MemoryError } from "../../model/errors.ts";

/** What kept Redis from doing what was asked; in upper case it is the code in the metrics. */
export type FaultKind =
  | "timeout"
  | "unreachable"
  | "loading"
  | "clusterdown"
  | "masterdown"
  | "busy"
  | "readonly"
  | "oom"
  | "misconf"
  | "noreplicas"
  | "noauth"
  | "wrongpass"
  | "noperm"
  | "moved"
  | "tls"
  | "refused"
  | "closed";

export interface RedisFault {
  readonly kind: FaultKind;
  /** What is wrong, and what to do: half a sentence each. */
  readonly reason: string;
  /** Redis is not there, rather than there and unwilling: asking again at once is of no use. */
  readonly away: boolean;
  readonly cause: unknown;
}

interface Known {
  readonly kind: FaultKind;
  readonly says: RegExp;
  readonly reason: string;
  readonly away?: true;
}

const AWAY =
  /ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|Connection is closed|Stream isn't writeable|max retries per request|Cluster isn't ready|Socket timeout|startup nodes|Cluster is (?:ended|disconnect)|sentinels are unreachable|Too many Cluster redirections|aborted due to connection close/i;

/** The first that matches. What a script met stands inside its error, so none is tied to the start. */
const KNOWN: readonly Known[] = [
  { kind: "timeout", says: /Command timed out/, reason: "it did not answer in time", away: true },
  {
    kind: "wrongpass",
    says: /WRONGPASS|invalid (?:username-)?password/i,
    reason: "it refuses the user or password; correct REDIS_URL or REDIS_PASSWORD_FILE",
  },
  {
    kind: "noauth",
    says: /NOAUTH/,
    reason: "it wants a password and none is given; set it in REDIS_URL or REDIS_PASSWORD_FILE",
  },
  { kind: "oom", says: /OOM command/, reason: "its memory is full (maxmemory); give it more" },
  {
    kind: "readonly",
    says: /READONLY/,
    reason: "it is a read-only replica; point REDIS_URL at the master or at the sentinels",
  },
  { kind: "loading", says: /LOADING/, reason: "it is still loading its data", away: true },
  {
    kind: "masterdown",
    says: /MASTERDOWN/,
    reason: "it is a replica that lost its master",
    away: true,
  },
  {
    kind: "clusterdown",
    says: /CLUSTERDOWN|TRYAGAIN/,
    reason: "its cluster does not serve all keys now",
    away: true,
  },
  { kind: "busy", says: /^BUSY/, reason: "it is busy with somebody's script", away: true },
  {
    kind: "misconf",
    says: /MISCONF/,
    reason: "it refuses writes because it cannot save to disk; look at its log",
  },
  { kind: "noreplicas", says: /NOREPLICAS/, reason: "it refuses writes: too few replicas" },
  {
    kind: "moved",
    says: /^MOVED|^ASK |CROSSSLOT/,
    reason: "it is a node of a cluster; write redis-cluster:// (rediss-cluster://) in REDIS_URL",
  },
  {
    kind: "refused",
    says: /cluster support disabled/i,
    reason: "it is no cluster; write redis:// (rediss://) in REDIS_URL",
  },
  {
    kind: "tls",
    says: /CERT|self.signed|certificate|altname|ERR_SSL|ERR_TLS|wrong version number|packet length/i,
    reason: "TLS fails",
  },
  {
    kind: "refused",
    says: /Unknown RESP type|Protocol error/i,
    reason: "it does not speak Redis' protocol; check host and port in REDIS_URL",
  },
  { kind: "unreachable", says: AWAY, reason: "it cannot be reached", away: true },
];

/** ioredis wraps what happened to the last node. */
function innermost(error: unknown): unknown {
  if (error instanceof Error && "lastNodeError" in error && error.lastNodeError instanceof Error)
    return innermost(error.lastNodeError);
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error;
}

function text(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return error.message.includes(code) ? error.message : `${code} ${error.message}`;
}

/** What an error of the driver or of the server means. */
export function redisFault(error: unknown): RedisFault {
  const cause = innermost(error);
  const message = text(cause);
  if (/NOPERM|can't run this command|No permissions/i.test(message))
    return { kind: "noperm", reason: permission(message), away: false, cause };
  const known = KNOWN.find(({ says }) => says.test(message));
  if (known === undefined)
    return { kind: "refused", reason: `it answered ${quoted(message)}`, away: false, cause };
  const { kind, reason, away } = known;
  const detail = kind === "unreachable" || kind === "tls" ? ` (${quoted(message)})` : "";
  return { kind, reason: reason + detail, away: away === true, cause };
}

/** The driver has refused by itself what it could not send, or every answer was that another node is meant. */
const NOT_CARRIED_OUT =
  /enableOfflineQueue options is false|Too many Cluster redirections\. Last error: ReplyError/;

/**
 * Whether Redis may have done what it was asked, or may do so yet: no answer came. An answer that is an
 * error says that nothing was done: our scripts write in their last step.
 */
export function isUnanswered(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  return error.name !== "ReplyError" && !NOT_CARRIED_OUT.test(error.message);
}

function permission(message: string): string {
  const command = /'([^']+)' command/.exec(message)?.[1];
  if (command !== undefined)
    return `its ACL refuses the user the command ${command}; add +${command}`;
  if (/key/i.test(message))
    return "its ACL refuses the user our keys; add ~PREFIX:* with the prefix of CHERRY_REDIS_PREFIX";
  if (/channel/i.test(message))
    return "its ACL refuses the user our channel; add &PREFIX:* with the prefix of CHERRY_REDIS_PREFIX";
  return "its ACL refuses the user a command that our scripts need; see the reference of REDIS_URL";
}

const QUOTED_MAX = 200;

function quoted(message: string): string {
  return JSON.stringify(message.slice(0, QUOTED_MAX));
}

export function unavailable(
  where: string,
  fault: Pick<RedisFault, "reason" | "cause">,
): MemoryError {
  return new MemoryError(
    "STORE_UNAVAILABLE",
    `Redis at ${where} could not serve the call: ${fault.reason}; retry later`,
    { cause: fault.cause },
  );
}

export function unanswered(
  where: string,
  fault: Pick<RedisFault, "reason" | "cause">,
): MemoryError {
  return new MemoryError(
    "OUTCOME_UNKNOWN",
    `Redis at ${where} may have made the change, or may make it yet: ${fault.reason}; read the item before deciding`,
    { cause: fault.cause },
  );
}

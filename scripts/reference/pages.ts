import { DEFAULT_LIMITS } from "../../packages/memory/src/model/limits.ts";
import { ERROR_CODES } from "../../packages/memory/src/model/errors.ts";
import type { ErrorCode } from "../../packages/memory/src/model/errors.ts";
import { PROBLEM_STATUS } from "../../packages/client/src/contract.ts";
import { HttpError, isLibraryCode } from "../../packages/api/src/http/http-error.ts";
import type { HttpErrorCode } from "../../packages/api/src/http/http-error.ts";
import { ERROR_TEXTS, HTTP_ERROR_TEXTS } from "./error-texts.ts";
import { metricsBody } from "./metrics-page.ts";
import { SETTINGS } from "./settings.ts";
import type { Setting } from "./settings.ts";

/** A page that is made from the code. */
export interface ReferencePage {
  readonly file: string;
  readonly text: string;
}

const NOTE =
  "<!-- Made by `pnpm docs:reference`. Edit its source in scripts/reference, not this file. -->";

const GROUPS: { readonly [group in Setting["group"]]: string } = {
  server: "Server",
  storage: "Storage",
  recall: "Search by meaning",
  security: "Security",
  limits: "Bounds",
  operation: "Operation",
};

function errorSection(code: ErrorCode): string {
  const { status, retryable } = ERROR_CODES[code];
  const { means, todo } = ERROR_TEXTS[code];
  const retry = retryable ? "retryable" : "not retryable";
  return `## ${code}\n\nHTTP ${status}, ${retry}. ${means}\n\n${todo}`;
}

function httpErrorSection(code: HttpErrorCode): string {
  const { means, todo } = HTTP_ERROR_TEXTS[code];
  const retry = new HttpError(code, "").retryable ? "retryable" : "not retryable";
  return `## ${code}\n\nHTTP ${PROBLEM_STATUS[code]}, ${retry}; given by the HTTP server only. ${means}\n\n${todo}`;
}

function isHttpCode(code: string): code is HttpErrorCode {
  return Object.hasOwn(PROBLEM_STATUS, code) && !isLibraryCode(code);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

function errorsPage(): string {
  return [
    "# Errors",
    NOTE,
    "Every failure has a stable code: `error.code` of a `MemoryError` in the library, `code` of the problem document (RFC 9457) over HTTP. `retryable` says whether the same call may succeed later. A message says what was wrong, what was expected and what to do.",
    ...Object.keys(ERROR_CODES).filter(isErrorCode).map(errorSection),
    ...Object.keys(PROBLEM_STATUS).filter(isHttpCode).map(httpErrorSection),
  ].join("\n\n");
}

function settingSection(setting: Setting): string {
  const { name, standard, unit, example, means, fileForm } = setting;
  const lines = [
    `- Default: ${standard}`,
    `- Unit: ${unit}`,
    `- Example: \`${name}=${example}\``,
    ...(fileForm === undefined
      ? []
      : [`- As a file: \`${fileForm}\` names one, which is read again when it changes`]),
  ];
  return `### ${name}\n\n${means}\n\n${lines.join("\n")}`;
}

/** `keyBytes` as `key bytes`. */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function limitLines(): string {
  return Object.entries(DEFAULT_LIMITS)
    .map(([name, value]: [string, number]) => `- ${words(name)}: ${value.toLocaleString("en-US")}`)
    .join("\n");
}

function configPage(): string {
  const groups = Object.entries(GROUPS).flatMap(([group, title]) => [
    `## ${title}`,
    ...SETTINGS.filter((setting) => setting.group === group).map(settingSection),
  ]);
  return [
    "# Settings",
    NOTE,
    "The server is set by environment variables. An empty one counts as unset. A wrong one stops the start, and all wrong ones are named at once.",
    ...groups,
    "## Limits",
    "Beyond one of these a request is refused, never cut down.",
    limitLines(),
  ].join("\n\n");
}

async function metricsPage(): Promise<string> {
  return [
    "# Metrics",
    NOTE,
    "`GET /metrics` answers in Prometheus' text format, beside the usual figures of the process. `tier` is `l0` to `l4`.",
    await metricsBody(),
  ].join("\n\n");
}

/** All pages, as they should be. */
export async function referencePages(): Promise<readonly ReferencePage[]> {
  return [
    { file: "docs/reference/errors.md", text: `${errorsPage()}\n` },
    { file: "docs/reference/config.md", text: `${configPage()}\n` },
    { file: "docs/reference/metrics.md", text: `${await metricsPage()}\n` },
  ];
}

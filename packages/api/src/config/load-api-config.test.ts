import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@cherry-ai/services";
import { expect, onTestFinished, test } from "vitest";
import { loadApiConfig } from "./load-api-config.ts";

const SECRET = "a-secret-of-more-than-32-characters!!";

function problemsOf(env: { readonly [name: string]: string }): readonly string[] {
  try {
    loadApiConfig(env);
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_CONFIG" });
    const { message } = error as Error;
    return message.split("\n").slice(1);
  }
  return [];
}

test("an empty variable counts as unset", () => {
  const names = ["HOST", "PORT", "LOG_LEVEL", "CHERRY_JWT_SECRET", "CHERRY_JWKS_URL"];
  const config = loadApiConfig(Object.fromEntries(names.map((name) => [name, " "])));
  expect(config).toMatchObject({
    host: "127.0.0.1",
    port: 8787,
    logLevel: "info",
    auth: { kind: "loopback" },
  });
});

test("all problems are reported at once, each with its field, the memory's too", () => {
  const problems = problemsOf({
    PORT: "99999",
    LOG_LEVEL: "loud",
    CHERRY_JWT_SECRET: "short",
    CHERRY_L1_MAX_MB: "much",
    CHERRY_ENVIRONMENT: "moon",
  });
  for (const field of ["PORT", "LOG_LEVEL", "CHERRY_JWT_SECRET", "CHERRY_L1_MAX_MB", "environment"])
    expect([field, problems.some((line) => line.includes(field))]).toEqual([field, true]);
});

test.each([
  [{ HOST: "0.0.0.0" }, "HOST"],
  [{ HOST: "::" }, "HOST"],
  [{ HOST: "127.0.0.1.evil.example" }, "HOST"],
  [{ CHERRY_ENVIRONMENT: "staging" }, "CHERRY_ENVIRONMENT"],
  [{ CHERRY_ENVIRONMENT: "production" }, "CHERRY_ENVIRONMENT"],
])("without a JWT setting %j is refused and says why", (env, field) => {
  const problems = problemsOf(env);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(field);
  expect(problems[0]).toContain("JWT");
});

test("with a JWT setting every host and environment is fine", () => {
  const env = { HOST: "0.0.0.0", CHERRY_ENVIRONMENT: "production", CHERRY_JWT_SECRET: SECRET };
  expect(loadApiConfig(env)).toMatchObject({
    host: "0.0.0.0",
    auth: { kind: "secret", secrets: [SECRET] },
  });
});

test("secrets may be a list, each of 32 bytes or more, and are never shown", () => {
  const { auth } = loadApiConfig({ CHERRY_JWT_SECRET: `${SECRET}, ${SECRET}2` });
  expect(auth).toMatchObject({ secrets: [SECRET, `${SECRET}2`] });
  const problems = problemsOf({ CHERRY_JWT_SECRET: `${SECRET},hunter2` });
  expect(problems[0]).toContain("place 2");
  expect(problems.join()).not.toContain("hunter2");
});

test("secrets come from a file too", () => {
  const { path, remove } = temporaryFolder("config");
  onTestFinished(() => remove());
  const file = join(path, "jwt");
  writeFileSync(file, `${SECRET}\n`);
  expect(loadApiConfig({ CHERRY_JWT_SECRET_FILE: file }).auth).toMatchObject({
    secrets: [SECRET],
    file,
  });
  expect(problemsOf({ CHERRY_JWT_SECRET_FILE: "/none" })[0]).toContain("CHERRY_JWT_SECRET_FILE");
});

test("public keys need https, an issuer and an audience, and no secret beside them", () => {
  const rules = { CHERRY_JWT_ISSUER: "i", CHERRY_JWT_AUDIENCE: "a" };
  const url = "https://login.example.com/jwks";
  expect(loadApiConfig({ CHERRY_JWKS_URL: url, ...rules }).auth).toMatchObject({ kind: "jwks" });
  expect(problemsOf({ CHERRY_JWKS_URL: url })).toHaveLength(2);
  for (const bad of ["http://login.example.com/jwks", "file:///etc/jwks", "rubbish"])
    expect(problemsOf({ CHERRY_JWKS_URL: bad, ...rules })[0]).toContain("https");
  expect(problemsOf({ CHERRY_JWKS_URL: url, CHERRY_JWT_SECRET: SECRET, ...rules })).toHaveLength(1);
});

test.each([
  "http://user:hunter2@login.example.com/jwks",
  "https://user:hunter2@login.example.com/jwks",
  "https://hunter2@login.example.com/jwks",
  "http://login.example.com/jwks?key=hunter2",
  "ftp://user:hunter2@login.example.com/jwks",
  "user:hunter2@login.example.com/jwks",
  "//user:hunter2@login.example.com",
])("the credentials of the URL %s are refused and never shown", (url) => {
  const rules = { CHERRY_JWT_ISSUER: "i", CHERRY_JWT_AUDIENCE: "a" };
  const problems = problemsOf({ CHERRY_JWKS_URL: url, ...rules });
  expect(problems.join()).toContain("CHERRY_JWKS_URL");
  expect(problems.join()).not.toContain("hunter2");
});

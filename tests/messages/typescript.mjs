// Generated TypeScript, by TypeScript's own compiler (--strict): events of random lives and of a real migration, written
// down as literals, are of the types; damaged ones are not, each for itself. And a program that uses the types rightly
// and wrongly.
//
//     node typescript.mjs BACKSTORY SOURCE_DIR WALK
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [program, source, walk] = process.argv.slice(2);
const tsc = join(dirname(fileURLToPath(import.meta.url)), "node_modules", "typescript", "bin", "tsc");
const EVENTS = 40;
const COMMANDS = 40;
const REAL = 300;

const USE = `
import type { CaptureCommand, PaymentCommand, PaymentEvent, PaymentState } from "./payment.d.ts";

export function captured(event: PaymentEvent): string {
  switch (event.type) {
    case "PaymentCaptured":
      return event.data.amount;
    case "PaymentFailed":
      return event.data.failure_reason;
    case "PaymentCreated": case "PaymentChallenged": case "PaymentAuthorized": case "PaymentRefunded":
    case "PaymentCanceled": case "PaymentExpired": case "PaymentVoided":
      return event.state;
    default: {
      const nothing: never = event;
      return nothing;
    }
  }
}
export const state: PaymentState = "pending";
export const order: PaymentCommand = { type: "capture", entity: "1042", data: { amount: "12.50" }, expected_version: 2 };
// @ts-expect-error: a number would not be exact
export const number: CaptureCommand = { type: "capture", entity: "1042", data: { amount: 12.5 } };
// @ts-expect-error: no decimal
export const word: CaptureCommand = { type: "capture", entity: "1042", data: { amount: "much" } };
// @ts-expect-error: no such state
export const paid: PaymentState = "paid";
// @ts-expect-error: a payload of another command
export const other: PaymentCommand = { type: "void", entity: "1042", data: { amount: "12.50" } };
`;

const scratch = mkdtempSync(join(tmpdir(), "bst-typescript-"));
const lines = (text) => text.split("\n").filter(Boolean);

// One mistake each; the first that fits.
function* damages(line) {
  const event = JSON.parse(line);
  const { machine, ...rest } = event;
  yield { ...event, type: "NothingHappened" };
  yield { ...event, state: "nowhere" };
  yield { ...event, version: String(event.version) };
  yield { ...event, data: { ...event.data, unknown_: 1 } };
  yield rest;
  for (const [key, value] of Object.entries(event.data))
    if (typeof value === "string" && /^-?[0-9]+(\.[0-9]+)?$/.test(value) && key !== "fixed" && key !== "words")
      yield { ...event, data: { ...event.data, [key]: { no: "value" } } };
}

function declare(name, type, lines, expected) {
  return lines.map((line, i) => `${expected ? "// @ts-expect-error\n" : ""}export const ${name}${i}: ${type} = ${line};`);
}

let machines = 0;
let damaged = 0;
const files = [];
execFileSync(program, ["migrate", join(source, "samples/payment/payment.legacy.json"), "--from",
                       join(source, "samples/payment/payments.csv"), "--to", join(scratch, "real.jsonl"), "--quiet"]);
const real = lines(readFileSync(join(scratch, "real.jsonl"), "utf8")).slice(0, REAL);

for (const folder of ["tests/machines", "tests/eventgen", "samples/payment"])
  for (const file of readdirSync(join(source, folder)).filter((name) => name.endsWith(".fsm.json"))) {
    const path = join(source, folder, file);
    const { id } = JSON.parse(readFileSync(path, "utf8"));
    execFileSync(program, ["compile", path, "-o", scratch, "--emit", "typescript", "--quiet", "-Wno-all"]);
    const types = readFileSync(join(scratch, `${id}.d.ts`), "utf8");
    const [event] = /\w+(?=Envelope \{\n  \/\*\* The same in every run)/.exec(types);
    const command = event.replace(/Event$/, "Command");
    const events = lines(execFileSync(walk, [path, "events", String(EVENTS)], { encoding: "utf8" }));
    const commands = lines(execFileSync(walk, [path, "commands", String(COMMANDS)], { encoding: "utf8" }));
    const wrong = events.filter((_, i) => i % 8 === 0).flatMap((line) => [...damages(line)].map((e) => JSON.stringify(e)));
    damaged += wrong.length;
    machines++;
    writeFileSync(join(scratch, `${id}.use.ts`), [
      `import type { ${event}, ${command} } from "./${id}.d.ts";`,
      ...declare("event", event, folder === "samples/payment" ? [...events, ...real] : events, false),
      ...declare("command", command, commands, false),
      ...declare("wrong", event, wrong, true),
    ].join("\n") + "\n");
    files.push(`${id}.use.ts`);
  }
writeFileSync(join(scratch, "use.ts"), USE);
const done = spawnSync(process.execPath, [tsc, "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess",
                                          "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext",
                                          "--allowImportingTsExtensions", ...files, "use.ts"],
                       { cwd: scratch, encoding: "utf8" });
process.stdout.write(done.stdout.split("\n").slice(0, 30).map((line) => line.slice(0, 400)).join("\n") + done.stderr);
rmSync(scratch, { recursive: true });
console.log(`${machines} machines, ${damaged} damaged events, tsc ends with ${done.status}`);
process.exit(done.status !== 0 || machines < 15 || damaged < 400 ? 1 : 0);

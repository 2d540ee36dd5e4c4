// AsyncAPI documents of every machine, read by AsyncAPI's own parser: no error, no warning but the ones that a document
// without servers and people always has. And the CloudEvents, by the SDK of CloudEvents.
//
//     node asyncapi.mjs BACKSTORY SOURCE_DIR
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Parser } from "@asyncapi/parser";
import { CloudEvent } from "cloudevents";

const [program, source] = process.argv.slice(2);
// What only the owner of the service can write: who answers for it, under which licence, where it runs.
const OWNERS = /^asyncapi(3)?-(id|info-|latest-version|tags|servers|operation-)/;

const scratch = mkdtempSync(join(tmpdir(), "bst-asyncapi-"));
const parser = new Parser();
let machines = 0;
let messages = 0;
let wrong = 0;

function complain(file, what) {
  console.error(`${file}: ${what}`);
  wrong++;
}

// A finding of the parser that the owner does not have to mend.
const mistakes = (diagnostics) => diagnostics.filter((f) => f.severity <= 1 && !OWNERS.test(f.code));

for (const folder of ["samples/payment", "tests/machines", "tests/eventgen"])
  for (const file of readdirSync(join(source, folder)).filter((name) => name.endsWith(".fsm.json"))) {
    const path = join(source, folder, file);
    const { id } = JSON.parse(readFileSync(path, "utf8"));
    execFileSync(program, ["compile", path, "-o", scratch, "--emit", "asyncapi,cloudevents", "--quiet", "-Wno-all"]);
    const text = readFileSync(join(scratch, `${id}.asyncapi.json`), "utf8");
    const { document, diagnostics } = await parser.parse(text);
    for (const finding of mistakes(diagnostics))
      complain(file, `${finding.code} at ${finding.path.join("/")}: ${finding.message}`);
    if (!document) continue;
    machines++;
    messages += document.allMessages().length;
    for (const attributes of JSON.parse(readFileSync(join(scratch, `${id}.cloudevents.json`), "utf8")))
      try {
        const event = new CloudEvent(attributes, true);
        if (JSON.stringify(event.data) !== JSON.stringify(attributes.data)) complain(file, `${event.type}: other data`);
      } catch (error) {
        complain(file, `${attributes.type}: ${error.message} ${JSON.stringify(error.errors ?? "")}`);
      }
  }

// The parser does look.
const sound = readFileSync(join(scratch, "payment.asyncapi.json"), "utf8");
for (const [from, to] of [["#/channels/events", "#/channels/none"], ['"action": "send"', '"action": "shout"']]) {
  if (!sound.includes(from)) complain("payment", `has no ${from}`);
  const { diagnostics } = await parser.parse(sound.replace(from, to));
  if (mistakes(diagnostics).length === 0) complain("payment", `with ${to} it is taken as well`);
}
rmSync(scratch, { recursive: true });
console.log(`${machines} documents, ${messages} messages, ${wrong} mistakes`);
process.exit(wrong || machines < 15 || messages < 100 ? 1 : 0);

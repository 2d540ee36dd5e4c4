// Mermaid diagrams of every machine, read by Mermaid itself: state diagrams, flowcharts with weights, and what stands in
// generated Markdown.
//
//     node mermaid.mjs BACKSTORY SOURCE_DIR
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";

const { window, document } = parseHTML("<html></html>"); // Mermaid wants a browser, for no more than cleaning labels
Object.assign(globalThis, { window, document });
const { default: mermaid } = await import("mermaid");

const [program, source] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "bst-mermaid-"));
const run = (...options) => execFileSync(program, options, { encoding: "utf8", maxBuffer: 1 << 28 });
let diagrams = 0;
let wrong = 0;

async function check(what, text, type) {
  diagrams++;
  try {
    const { diagramType } = await mermaid.parse(text);
    if (diagramType !== type) throw new Error(`a ${diagramType}`);
  } catch (error) {
    console.error(`${what}: ${error.message}`);
    wrong++;
  }
}

for (const folder of ["samples/payment", "tests/machines", "tests/eventgen"])
  for (const file of readdirSync(join(source, folder)).filter((name) => name.endsWith(".fsm.json"))) {
    const compile = (emitter, ...more) =>
      run("compile", join(source, folder, file), "-o", "-", "--emit", emitter, "--quiet", "-Wno-all", ...more);
    await check(file, compile("mermaid"), "stateDiagram");
    await check(`${file} in Markdown`, /```mermaid\n([^]*?)```/.exec(compile("markdown"))[1], "stateDiagram");
    if (folder !== "samples/payment") continue;
    const events = join(scratch, "events.jsonl");
    run("migrate", join(source, folder, "payment.legacy.json"), "--from", join(source, folder, "payments.csv"), "--to", events, "--quiet");
    await check(`${file} with weights`, compile("mermaid", "--weights", events, "--direction", "TB"), "flowchart-v2");
  }
rmSync(scratch, { recursive: true });
if (await mermaid.parse("stateDiagram-v2\n    a -->\n", { suppressErrors: true })) {
  console.error("Mermaid reads anything");
  wrong++;
}
console.log(`${diagrams} diagrams, ${wrong} mistakes`);
process.exit(wrong || diagrams < 40 ? 1 : 0);

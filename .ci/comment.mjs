// What of a report made by somebody else may be posted: `comment.mjs FILE MARKER` prints it. The report of a pull request
// comes out of that pull request's own build, so that it may hold anything. A line is kept if, outside of its code spans,
// it is nothing but words, figures and what a table is made of; every other line is left out, and that is said.
import { readFileSync } from "node:fs";

// GitHub takes 65,536 characters.
const MOST = 65_000;

const [file, marker] = process.argv.slice(2);
const lines = readFileSync(file).subarray(0, MOST).toString("utf8").split("\n");
if (lines[0] !== marker) {
  console.error(`${file} does not begin with ${marker}`);
  process.exit(1);
}

const WORDS = "[A-Za-z0-9 .,:;'()+*|→✅❌%-]*";
const LINES = [
  new RegExp(`^(### )?${WORDS}$`, "u"),
  new RegExp("^<details><summary>[A-Za-z0-9 ._:,+-]*</summary>$"),
  /^<\/details>$/,
];

function isSafe(line) {
  // In HTML a backtick is no code, and in a table a bar ends it.
  const outside = line.startsWith("<") ? line : line.replace(/`[^`|]+`/g, "");
  // What is not seen, or turns the text around it.
  const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/u.test(line);
  // A word such as www.example.com would be a link.
  return !hidden && !/www\.|:\/\//i.test(outside) && LINES.some((known) => known.test(outside));
}

const kept = [];
for (const line of lines.slice(1)) {
  // HTML goes on to the next empty line.
  const inHtml = kept.at(-1)?.startsWith("<") && line !== "";
  if (isSafe(line) && !inHtml) kept.push(line);
}
const left = lines.length - 1 - kept.length;
// What was cut off in the middle still closes what it opened.
const count = (text) => kept.filter((line) => line.startsWith(text)).length;
for (let open = count("<details>") - count("</details>"); open > 0; open -= 1) kept.push("", "</details>");
if (left > 0) kept.push("", `${left} lines are left out: they are not of a report's form.`);
process.stdout.write(`${[marker, ...kept].join("\n").trimEnd()}\n`);

// vscode-oniguruma, C by emscripten, standalone.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { loadWASM, createOnigScanner, createOnigString } = createRequire(import.meta.url)("vscode-oniguruma");
await loadWASM(readFileSync(`node_modules/${process.argv[2]}`));
const scanner = createOnigScanner(["\\b(let|const)\\b", "(?<name>\\w+)\\s*=", "[äöü]+", "\\d+(?=px)", "(a|b)*c"]);
for (const text of ["let answer = 42", "  const x=1", "grün 12px", "ababababc", ""]) {
  for (const start of [0, 3]) {
    console.log(JSON.stringify(scanner.findNextMatchSync(createOnigString(text), start)));
  }
}
try {
  createOnigScanner(["(unclosed"]);
} catch (error) {
  console.log(error.message);
}

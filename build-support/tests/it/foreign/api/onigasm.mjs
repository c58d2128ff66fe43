// onigasm, C by emscripten.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { loadWASM, OnigRegExp, OnigScanner } = createRequire(import.meta.url)("onigasm");
await loadWASM(new Uint8Array(readFileSync(`node_modules/${process.argv[2]}`)).buffer);
const scanner = new OnigScanner(["\\b(let|const)\\b", "(?<name>\\w+)\\s*=", "[äöü]+", "\\d+(?=px)"]);
for (const text of ["let answer = 42", "  const x=1", "grün 12px", ""]) {
  console.log(JSON.stringify(scanner.findNextMatchSync(text, 0)));
  console.log(JSON.stringify(new OnigRegExp("(\\w)(\\w)?").searchSync(text)));
}
try {
  new OnigRegExp("(unclosed").searchSync("x");
} catch (error) {
  console.log(error.message);
}

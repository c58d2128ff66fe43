// web-tree-sitter, C by emscripten, linked at run time: what it does without a language.
import { readFileSync } from "node:fs";

const debug = process.argv[2].includes("debug");
const { Parser, Language, LANGUAGE_VERSION, MIN_COMPATIBLE_VERSION } = await import(`web-tree-sitter${debug ? "/debug" : ""}`);
await Parser.init({ wasmBinary: readFileSync(`node_modules/${process.argv[2]}`) });
console.log(LANGUAGE_VERSION, MIN_COMPATIBLE_VERSION);
const parser = new Parser();
console.log(JSON.stringify(parser.getIncludedRanges()), parser.language);
for (const wrong of [() => parser.parse("x"), () => parser.setLanguage({})]) {
  try {
    console.log(wrong());
  } catch (error) {
    console.log(error.message);
  }
}
await Language.load(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).catch((error) => console.log(error.message));
parser.reset();
parser.delete();

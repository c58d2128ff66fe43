// @oxc-parser/binding-wasm32-wasi, Rust by napi-rs, with threads.
import { createRequire } from "node:module";

const { parseSync } = createRequire(import.meta.url)("@oxc-parser/binding-wasm32-wasi");
for (const [name, source] of [
  ["a.ts", "export type A<T> = T extends infer U ? U : never; let x: A<1> = 1 satisfies 1;"],
  ["a.jsx", "import a, {b as c} from './d'; const x = <a {...b}>{c}</a>; // why"],
  ["a.js", "class A extends B { #x = 1; static { this.y ??= 2n ** 3n } async *z() { yield* /re/gv } }"],
  ["bad.js", "let let = (;"],
]) {
  const result = parseSync(name, source);
  console.log(result.program, JSON.stringify([result.errors, result.module, result.comments]));
}
process.exit(0);

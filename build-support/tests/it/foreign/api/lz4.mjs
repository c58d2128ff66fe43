// lz4-wasm, Rust by wasm-bindgen for bundlers.
import { readFileSync, writeFileSync } from "node:fs";

const bytes = readFileSync(`node_modules/${process.argv[2]}`);
// Bundlers link the file and its glue to each other.
const glue = readFileSync("node_modules/lz4-wasm/lz4_wasm_bg.js", "utf8")
  .replace("import * as wasm from './lz4_wasm_bg.wasm';", "let wasm; export function link(made) { wasm = made; }");
writeFileSync("glue.mjs", glue);
const linked = await import("./glue.mjs");
const { instance } = await WebAssembly.instantiate(bytes, { "./lz4_wasm_bg.js": linked });
linked.link(instance.exports);
for (const text of ["", "a", "abc".repeat(1000), glue]) {
  const packed = linked.compress(new TextEncoder().encode(text));
  const back = new TextDecoder().decode(linked.decompress(packed));
  console.log(packed.length, Buffer.from(packed).toString("base64").slice(0, 60), back === text);
}
try {
  linked.decompress(new Uint8Array([9, 0, 0, 0, 255, 255, 1]));
} catch (error) {
  console.log(String(error).split("\n")[0]);
}

// brotli-wasm, Rust by wasm-bindgen: each of its three builds.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const file = process.argv[2];
let brotli;
if (file.includes("pkg.node")) {
  brotli = createRequire(import.meta.url)("brotli-wasm");
} else {
  const folder = file.slice(0, file.lastIndexOf("/"));
  const bytes = readFileSync(`node_modules/${file}`);
  if (file.includes("pkg.web")) {
    const source = readFileSync(`node_modules/${folder}/brotli_wasm.js`, "utf8");
    writeFileSync("glue.mjs", source);
    brotli = await import("./glue.mjs");
    await brotli.default(bytes);
  } else {
    const source = readFileSync(`node_modules/${folder}/brotli_wasm_bg.js`, "utf8");
    // Bundlers link the file and its glue to each other.
    const linked = "let wasm; export function link(made) { wasm = made; }";
    writeFileSync("glue.mjs", source.replace("import * as wasm from './brotli_wasm_bg.wasm';", linked));
    brotli = await import("./glue.mjs");
    const { instance } = await WebAssembly.instantiate(bytes, { "./brotli_wasm_bg.js": brotli });
    brotli.link(instance.exports);
  }
}
const text = readFileSync("node_modules/brotli-wasm/README.md");
for (const quality of [1, 5, 9, 11]) {
  const packed = brotli.compress(text, { quality });
  console.log(quality, packed.length, Buffer.from(brotli.decompress(packed)).equals(text));
}
try {
  brotli.decompress(Buffer.from("no brotli at all"));
} catch (error) {
  console.log(String(error).split("\n")[0]);
}

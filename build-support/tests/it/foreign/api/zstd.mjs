// @bokuweb/zstd-wasm, C by emscripten.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const zstd = createRequire(import.meta.url)("@bokuweb/zstd-wasm");
await zstd.init();
const text = readFileSync("node_modules/@bokuweb/zstd-wasm/README.md");
for (const level of [1, 10, 19]) {
  const packed = zstd.compress(text, level);
  console.log(level, packed.length, Buffer.from(zstd.decompress(packed)).equals(text));
}
console.log(zstd.compress(Buffer.alloc(100_000, "abc")).length);
try {
  zstd.decompress(Buffer.from("no zstd at all"));
} catch (error) {
  console.log(error.message);
}

// argon2id, C by clang without a library: hashes with both modules.
import setup from "argon2id/lib/setup.js";
import { readFileSync } from "node:fs";

const module = (name) => async (imports) =>
  WebAssembly.instantiate(readFileSync(`node_modules/argon2id/dist/${name}.wasm`), imports);
const simd = process.argv[2].endsWith("/simd.wasm");
// Either of them, never the one that is not meant.
const argon2id = await setup(
  simd ? module("simd") : async () => Promise.reject(new Error("not this one")),
  module("no-simd"),
);
const text = (value) => new TextEncoder().encode(value);
for (const [password, passes, memorySize, parallelism] of [["password", 1, 64, 1], ["pass word", 3, 128, 2], ["long ".repeat(99), 2, 1024, 4]]) {
  const hash = argon2id({ password: text(password), salt: text("saltsaltsalt"), passes, memorySize, parallelism, tagLength: 32 });
  console.log(Buffer.from(hash).toString("hex"));
}

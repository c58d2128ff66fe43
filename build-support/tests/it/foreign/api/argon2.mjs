// argon2-browser, C by emscripten.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import vm from "node:vm";

const require = createRequire(import.meta.url);
const binary = readFileSync(`node_modules/${process.argv[2]}`);
globalThis.self = globalThis;
globalThis.loadArgon2WasmBinary = async () => new Uint8Array(binary);
globalThis.loadArgon2WasmModule = () =>
  new Promise((resolve) => {
    const source = readFileSync("node_modules/argon2-browser/dist/argon2.js", "utf8");
    globalThis.Module = { wasmBinary: new Uint8Array(binary), onRuntimeInitialized: () => {} };
    globalThis.require = require;
    globalThis.__dirname = "node_modules/argon2-browser/dist";
    const then = globalThis.Module;
    setImmediate(() => resolve(then));
    vm.runInThisContext(source);
  });
const argon2 = require("argon2-browser");
for (const [pass, type, time, mem] of [["p", 0, 1, 32], ["password", 1, 2, 128], ["pass word", 2, 3, 256]]) {
  const { hashHex, encoded } = await argon2.hash({ pass, salt: "somesalt", time, mem, hashLen: 24, type });
  console.log(hashHex, encoded);
  await argon2.verify({ pass, encoded });
  console.log(await argon2.verify({ pass: "wrong", encoded }).catch((error) => error.message));
}

// Commands of WASI preview 1, Rust, from the tests of @wasmer/wasi: by node's own WASI.
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { WASI } from "node:wasi";

const file = process.argv[2];
const module = await WebAssembly.compile(readFileSync(`node_modules/${file}`));
writeFileSync("input", "one two\nthree\n");
// The other one's library is of 2019 and ends where there is an environment.
const env = file.includes("envvar") ? { DOG: "spot", EMPTY: "" } : {};
const wasi = new WASI({ version: "preview1", args: [file, "two words"], env, stdin: openSync("input"), returnOnExit: true });
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
console.log("exit code", wasi.start(instance));

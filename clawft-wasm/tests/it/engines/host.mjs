// Runs a wasip1 reactor in node's WASI and obeys requests on stdin, a JSON object a line:
//   {"call": export, "args": [i32, ...]}   {"write": at, "bytes": hex}   {"read": at, "length": n}
// Each is answered by {"value": ...} or {"error": text}.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { WASI } from "node:wasi";

const [file, root] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", preopens: { "/": root } });
const module = new WebAssembly.Module(readFileSync(file));
const instance = new WebAssembly.Instance(module, wasi.getImportObject());
wasi.initialize(instance);

// A view is made anew for each request: growing the memory detaches the one before.
const memory = (at, length) => Buffer.from(instance.exports.memory.buffer, at, length);

function obey(request) {
  if (request.call) return instance.exports[request.call](...request.args) ?? null;
  if (request.bytes !== undefined) {
    memory(request.write, request.bytes.length / 2).write(request.bytes, "hex");
    return null;
  }
  return memory(request.read, request.length).toString("hex");
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = { value: obey(JSON.parse(line)) };
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}

// @jitl/quickjs-wasmfile-release-sync, C by emscripten: its own functions, as quickjs-emscripten calls them.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const load = require("@jitl/quickjs-wasmfile-release-sync/emscripten-module");
const { QuickJSFFI } = require("@jitl/quickjs-wasmfile-release-sync/ffi");
const module = await (load.default ?? load)({ print: console.log });
const ffi = new QuickJSFFI(module);
const runtime = ffi.QTS_NewRuntime();
const context = ffi.QTS_NewContext(runtime, 0);
const text = (value) => {
  const length = module.lengthBytesUTF8(value) + 1;
  const pointer = module._malloc(length);
  module.stringToUTF8(value, pointer, length);
  return [pointer, length - 1];
};
for (const source of [
  "[3,1,2].sort().map(x => x ** 2).join()",
  "JSON.stringify({a: [...'äöü'], b: 2n ** 70n + '', c: /(?<x>\\d+)/.exec('a12').groups.x})",
  "(function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) })(18)",
  "new Date(0).toISOString() + Math.sin(1) + parseFloat('1.5e3') + (0.1 + 0.2)",
  "null.x",
]) {
  const [pointer, length] = text(source);
  const [name] = text("eval.js");
  const value = ffi.QTS_Eval(context, pointer, length, name, 0, 0);
  const failed = ffi.QTS_ResolveException(context, value);
  console.log(module.UTF8ToString(ffi.QTS_Dump(context, failed || value)));
}

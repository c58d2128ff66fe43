// dprint's plugins, Rust without bindings: the fourth version of their interface.
import { readFileSync } from "node:fs";

const file = process.argv[2];
const wasm = await WebAssembly.compile(readFileSync(`node_modules/${file}`));
const imports = {};
for (const { module, name, kind } of WebAssembly.Module.imports(wasm)) {
  if (kind === "function") {
    (imports[module] ??= {})[name] = () => 0;
  }
}
const { exports } = await WebAssembly.instantiate(wasm, imports);
const write = (text) => {
  const bytes = new TextEncoder().encode(text);
  const at = exports.clear_shared_bytes(bytes.length);
  new Uint8Array(exports.memory.buffer).set(bytes, at);
};
const read = (length) =>
  new TextDecoder().decode(new Uint8Array(exports.memory.buffer, exports.get_shared_bytes_ptr(), length).slice());
console.log(exports.dprint_plugin_version_4(), read(exports.get_plugin_info()));
write(JSON.stringify({ global: { lineWidth: 40 }, plugin: {} }));
exports.register_config(1);
console.log(read(exports.get_resolved_config(1)), read(exports.get_config_diagnostics(1)));
const [name, sources] = {
  json: ["a.json", ['{"a":[1,2,3],/*why*/"b":{"long":"xxxxxxxxxxxxxxxxxxxxxxx","c":null}}', "{"]],
  markdown: ["a.md", ["# a\n* b\n* c\n\n\n|a|b|\n|-|-|\n|long cell|2|\n\n1) x\n2) y ~~~\n```js\nx\n```", "a very long line that goes beyond the width that it may have\n==="]],
  toml: ["a.toml", ["[a]\nb=1\nc   = [1,2,\n3] # why\n[[d]]\ne.f={g=1}", "[a"]],
}[file.match(/@dprint\/(\w+)/)[1]];
for (const source of sources) {
  write(name);
  exports.set_file_path();
  write(source);
  const result = exports.format(1);
  console.log(result, result === 1 ? read(exports.get_formatted_text()) : result === 2 ? read(exports.get_error_text()) : "");
}

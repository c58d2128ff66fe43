// @automerge/automerge-wasm, Rust by wasm-bindgen for node.
import { createRequire } from "node:module";

const { create, load } = createRequire(import.meta.url)("@automerge/automerge-wasm");
const first = create({ actor: "aa".repeat(16) });
first.put("_root", "title", "one");
const list = first.putObject("_root", "list", [1, 2.5, true, null, "x"]);
const text = first.putObject("_root", "text", "hello world");
first.commit("first", 1_000);
const second = first.fork("bb".repeat(16));
second.splice(text, 5, 6, " there");
second.insert(list, 0, "head");
second.increment;
second.commit("second", 2_000);
first.splice(text, 0, 1, "J");
first.put("_root", "title", "two");
first.commit("third", 3_000);
first.merge(second);
console.log(JSON.stringify(first.materialize("/")), first.getHeads());
const saved = first.save();
console.log(Buffer.from(saved).toString("base64"));
const loaded = load(saved, { actor: "cc".repeat(16) });
console.log(JSON.stringify(loaded.materialize("/")), JSON.stringify(loaded.getAll("_root", "title")));
try {
  load(new Uint8Array([1, 2, 3, 4]));
} catch (error) {
  console.log(String(error).split("\n")[0]);
}

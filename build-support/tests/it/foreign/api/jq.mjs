// jq-web, C by emscripten.
import { createRequire } from "node:module";

const jq = await createRequire(import.meta.url)("jq-web");
const data = { a: [1, 2, { b: "x" }], c: null, d: 1.5e300 };
for (const filter of [".", ".a[2].b", "[.a[] | numbers | . * 2] | add", "to_entries | map(.key)", '.a | tojson | test("x")', '"\\(.c) and \\(.d)"']) {
  console.log(filter, JSON.stringify(jq.json(data, filter)));
}
console.log(jq.raw('{"b":1} [2]', ".", ["-c"]));
try {
  jq.raw("{}", ".a | error(\"no\")");
} catch (error) {
  console.log(error.message);
}

// quickjs-wasi, C by wasi-sdk, a reactor: values in and out, errors, promises, and its memory kept and restored.
import { readFileSync } from "node:fs";
import { QuickJS } from "quickjs-wasi";

const wasm = readFileSync(`node_modules/${process.argv[2]}`);
const vm = await QuickJS.create({ wasm });
for (const source of ["1 + 2", "JSON.stringify({ a: [1, 2.5, null], b: 'x'.repeat(9) })", "[3, 1, 2].sort().join()", "/(?<y>\\d{4})-\\d\\d/.exec('on 2020-01-02').groups.y", "2n ** 100n + ''"]) {
  console.log(source, vm.dump(vm.evalCode(source)));
}
for (const source of ["throw new TypeError('no')", "a b", "null.x", "(function f() { return f() })()"]) {
  try {
    console.log(vm.dump(vm.evalCode(source)));
  } catch (error) {
    console.log(source, error.name, error.message);
  }
}
vm.setProp(vm.global, "add", vm.newFunction("add", (a, b) => vm.newNumber(a.toNumber() + b.toNumber())));
console.log(vm.evalCode("let sum = 0; for (let i = 0; i < 1000; i++) sum = add(sum, i * i); sum").toNumber());

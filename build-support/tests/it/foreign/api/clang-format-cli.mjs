// clang-format as a command, C++ by emscripten.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

const cli = "node_modules/@wasm-fmt/clang-format/clang-format-cli.cjs";
const run = (...args) => {
  const done = spawnSync(process.execPath, [cli, ...args], { encoding: "utf8" });
  console.log(done.status, done.stdout, done.stderr.split("\n")[0]);
};
writeFileSync("a.c", "int main(void){int*x=0;switch(1){case 1:break;default:return 2;}return *x;}");
run("--version");
run("--style=Google", "a.c");
run("--style={BasedOnStyle: Microsoft, IndentWidth: 8}", "a.c");
run("missing.c");

// @wasm-fmt/clang-format, C++ by emscripten with embind.
import { format, version } from "@wasm-fmt/clang-format";

console.log(version());
const source = "#include <vector>\n#include <map>\nint main(int argc,char**argv){std::vector<int>x={1,2,3};for(auto y:x){if(y)return y;else{continue;}}return [&]{return 1;}();}";
for (const style of ["LLVM", "Google", "WebKit", '{"BasedOnStyle":"Mozilla","ColumnLimit":40}']) {
  console.log(format(source, "main.cc", style));
}

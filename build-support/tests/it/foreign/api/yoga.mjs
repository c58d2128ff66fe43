// yoga-wasm-web, C++ by emscripten with embind.
import init from "yoga-wasm-web";
import { readFileSync } from "node:fs";

const yoga = await init(readFileSync(`node_modules/${process.argv[2]}`));
const root = yoga.Node.create();
root.setWidth(500);
root.setHeight(300);
root.setFlexDirection(2);
root.setPadding(8, 10);
const children = [1, 2, 3].map((grow) => {
  const child = yoga.Node.create();
  child.setFlexGrow(grow);
  child.setMargin(8, grow * 3);
  if (grow === 2) {
    child.setMeasureFunc((width, widthMode, height) => ({ width: width / 3, height: Math.min(50, height) }));
  }
  root.insertChild(child, grow - 1);
  return child;
});
root.calculateLayout(undefined, undefined, 1);
for (const node of [root, ...children]) {
  console.log(JSON.stringify(node.getComputedLayout()));
}
root.freeRecursive();

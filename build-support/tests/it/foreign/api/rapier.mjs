// @dimforge/rapier2d, Rust by wasm-bindgen for bundlers.
import { readFileSync } from "node:fs";

const raw = await import("@dimforge/rapier2d/rapier_wasm2d_bg.js");
const bytes = readFileSync(`node_modules/${process.argv[2]}`);
const { instance } = await WebAssembly.instantiate(bytes, { "./rapier_wasm2d_bg.js": raw });
raw.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start?.();
console.log(raw.version());
const vector = new raw.RawVector(1.5, -2.25);
console.log(vector.x, vector.y, vector.yx?.().x);
const shapes = [raw.RawShape.ball(0.5), raw.RawShape.cuboid(1, 2), raw.RawShape.capsule(1, 0.25)];
for (const shape of shapes) {
  for (const x of [0, 0.75, 3]) {
    const at = new raw.RawVector(x, 0.1);
    const point = new raw.RawVector(2, x);
    const still = raw.RawRotation.identity();
    const turned = raw.RawRotation.fromAngle(x);
    console.log(shape.containsPoint(at, turned, point), shape.intersectsShape(at, still, shapes[1], point, turned));
    const projected = shape.projectPoint(at, turned, point, true);
    const coordinates = new Float32Array(2);
    projected.point(coordinates);
    console.log(...coordinates, projected.isInside());
    console.log(shape.castRay(at, still, point, at, 10, true));
  }
}

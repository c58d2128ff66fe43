// @resvg/resvg-wasm, Rust by wasm-bindgen.
import { Resvg, initWasm } from "@resvg/resvg-wasm";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

await initWasm(readFileSync(`node_modules/${process.argv[2]}`));
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><defs><linearGradient id="g"><stop offset="0" stop-color="red"/>
<stop offset="1" stop-color="blue"/></linearGradient><filter id="f"><feGaussianBlur stdDeviation="2"/></filter></defs>
<rect width="80" height="40" rx="7" fill="url(#g)" filter="url(#f)"/><path d="M5 5 C 20 60, 60 -20, 80 50 Z" fill="none" stroke="#0808" stroke-dasharray="3 2"/></svg>`;
for (const fitTo of [{ mode: "original" }, { mode: "width", value: 123 }]) {
  const image = new Resvg(svg, { fitTo, background: "white" }).render();
  console.log(image.width, image.height, createHash("sha256").update(image.pixels).digest("hex"), image.asPng().length);
}
try {
  new Resvg("<svg");
} catch (error) {
  console.log(String(error));
}

// zxing-wasm, C++ by emscripten with embind: writer, reader, and both in one.
import { readFileSync } from "node:fs";

const file = process.argv[2];
const kind = file.match(/zxing_(\w+)\.wasm/)[1];
const part = async (name, binary) => {
  const made = await import(`zxing-wasm/${name}`);
  made.prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(readFileSync(`node_modules/${binary}`)).buffer } });
  return made;
};
const writer = await part(kind === "reader" ? "writer" : kind, kind === "reader" ? file.replaceAll("reader", "writer") : file);
const reader = kind === "writer" ? undefined : await part(kind, file);
for (const [text, format] of [["hello world", "QRCode"], ["5901234123457", "EAN-13"], ["DATA", "DataMatrix"], ["Code 128", "Code128"], ["azt", "Aztec"]]) {
  const { svg, image, error, utf8 } = await writer.writeBarcode(text, { format, scale: 4 });
  console.log(format, error, svg?.length, utf8);
  if (reader && image) {
    const found = await reader.readBarcodes(image, { tryHarder: true });
    console.log(JSON.stringify(found.map((one) => [one.text, one.format, one.position, one.isValid])));
  }
}
const bad = await writer.writeBarcode("letters", { format: "EAN-13" });
console.log(bad.error);

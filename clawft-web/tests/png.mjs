// What Chromium's pictures show: PNG of 8 bits a channel, without interlacing (W3C, PNG, third edition).
import { inflateSync } from "node:zlib";

// Width, height, and a pixel's red, green and blue.
export function decode(png) {
  const [width, height, depth, kind, , , interlaced] = [png.readUInt32BE(16), png.readUInt32BE(20), ...png.subarray(24, 29)];
  const channels = { 2: 3, 6: 4 }[kind];
  if (depth !== 8 || !channels || interlaced) throw new Error(`a picture of kind ${kind}, ${depth} bits`);
  const parts = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const raw = inflateSync(Buffer.concat(parts));
  const line = width * channels;
  const pixels = new Uint8Array(line * height);
  const paeth = (a, b, c) => {
    const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  };
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (line + 1)];
    for (let x = 0; x < line; x += 1) {
      const at = y * line + x;
      const [a, b] = [x >= channels ? pixels[at - channels] : 0, y ? pixels[at - line] : 0];
      const c = x >= channels && y ? pixels[at - line - channels] : 0;
      const by = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
      pixels[at] = raw[y * (line + 1) + 1 + x] + by;
    }
  }
  return { width, height, at: (x, y) => pixels.subarray((y * width + x) * channels, (y * width + x) * channels + 3) };
}

// Relative luminance, and the contrast of two of them (WCAG 2.1).
const light = (rgb) => {
  const [r, g, b] = [...rgb].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

// The contrast within a part of a picture: of what most of it is with what differs most from that.
export function contrast(picture, { x, y, width, height }) {
  const counts = new Map();
  const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
  const [right, bottom] = [Math.min(picture.width, Math.ceil(x + width)), Math.min(picture.height, Math.ceil(y + height))];
  for (let row = top; row < bottom; row += 1)
    for (let column = left; column < right; column += 1) {
      const key = picture.at(column, row).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  const colours = [...counts].sort((a, b) => b[1] - a[1]).map(([key]) => light(key.split(",").map(Number)));
  return colours.length ? Math.max(...colours.map((one) => ratio(one, colours[0]))) : 21;
}

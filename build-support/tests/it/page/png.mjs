// A screenshot's pixels. Only what Chromium writes: 8 bits a channel, RGB or RGBA, not interlaced (PNG specification,
// sections 5, 9 and 11).
import { inflateSync } from "node:zlib";

export function decode(file) {
  const parts = [];
  let width, height, channels;
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const kind = file.toString("latin1", at + 4, at + 8);
    const data = file.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") {
      [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)];
      const [depth, colour, , , interlaced] = data.subarray(8);
      channels = { 2: 3, 6: 4 }[colour];
      if (depth !== 8 || !channels || interlaced) throw new Error(`a PNG of depth ${depth} and colour type ${colour}`);
    }
    if (kind === "IDAT") parts.push(data);
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const line = width * channels;
  const pixels = Buffer.alloc(line * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (line + 1)];
    for (let i = 0; i < line; i += 1) {
      const left = i < channels ? 0 : pixels[y * line + i - channels];
      const up = y === 0 ? 0 : pixels[(y - 1) * line + i];
      const corner = y === 0 || i < channels ? 0 : pixels[(y - 1) * line + i - channels];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      pixels[y * line + i] = raw[y * (line + 1) + 1 + i] + guess;
    }
  }
  // The colour at a place as one number.
  const at = (x, y) => pixels.readUIntBE(y * line + x * channels, 3);
  return { width, height, at };
}

function paeth(left, up, corner) {
  const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs);
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

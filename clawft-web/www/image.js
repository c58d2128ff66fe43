// An image of a running agent: what of its memory differs from a fresh instance, compressed.
// Between calls that is all of its state: the stack pointer is at its initial value, and nothing
// else is mutable.

const PAGE = 4096;
const WASM_PAGE = 65_536;
const text = new TextDecoder();
const utf8 = new TextEncoder();

/** @param {Uint8Array} bytes @param {any} by */
const through = async (bytes, by) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(by)).arrayBuffer());

/**
 * What differs, with its head, not compressed yet: taken at once.
 * @param {import("./steps.js").Agent} agent
 * @param {Uint8Array} fresh
 * @param {any} head
 */
export function take(agent, fresh, head) {
  const memory = agent.memory;
  // Eight bytes at a time; memory that has grown was zero.
  const [now, old] = [memory, fresh].map((bytes) => new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8));
  const pages = [];
  for (let at = 0; at < now.length; at += PAGE / 8) {
    let i = at;
    while (i < at + PAGE / 8 && now[i] === (old[i] ?? 0n)) i += 1;
    if (i < at + PAGE / 8) pages.push((at * 8) / PAGE);
  }
  const top = utf8.encode(JSON.stringify({ ...head, size: memory.length, pages }));
  const image = new Uint8Array(4 + top.length + pages.length * PAGE);
  new DataView(image.buffer).setUint32(0, top.length, true);
  image.set(top, 4);
  pages.forEach((page, i) => image.set(memory.subarray(page * PAGE, (page + 1) * PAGE), 4 + top.length + i * PAGE));
  return image;
}

/** @param {Uint8Array} image */
export const pack = (image) => through(image, new CompressionStream("gzip"));

/** @param {Uint8Array} packed */
export async function unpack(packed) {
  const image = await through(packed, new DecompressionStream("gzip"));
  const length = new DataView(image.buffer).getUint32(0, true);
  return { head: JSON.parse(text.decode(image.subarray(4, 4 + length))), pages: image.subarray(4 + length) };
}

/**
 * Refuses an image of another module; nothing may have been changed by then.
 * @param {{ head: any }} image
 * @param {string} sha256 of the module
 */
export function check({ head }, sha256) {
  if (head.sha256 !== sha256) throw new Error(`the image is of the module ${head.sha256}, this is ${sha256}: the files are used`);
}

/**
 * Puts an image into an instance, fresh or not.
 * @param {import("./steps.js").Agent} agent
 * @param {Uint8Array} fresh
 * @param {{ head: any, pages: Uint8Array }} image
 * @param {string} sha256 of the module
 */
export function put(agent, fresh, { head, pages }, sha256) {
  check({ head }, sha256);
  const { memory } = agent.exports;
  const missing = (head.size - memory.buffer.byteLength) / WASM_PAGE;
  if (missing > 0) memory.grow(missing);
  const to = agent.memory;
  to.fill(0);
  to.set(fresh);
  /** @type {number[]} */ (head.pages).forEach((page, i) => to.set(pages.subarray(i * PAGE, (i + 1) * PAGE), page * PAGE));
}

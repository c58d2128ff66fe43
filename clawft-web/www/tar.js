// Archives in the ustar format of POSIX.1-2001, with its extended header for a long path: what a
// session is exported as.

const BLOCK = 512;
const utf8 = new TextEncoder();
const text = new TextDecoder();

/**
 * @typedef {{ path: string, bytes?: Uint8Array, time?: number }} Entry without bytes it is a folder; time in milliseconds
 */

/** @param {Entry[]} entries */
export function pack(entries) {
  const parts = [];
  for (const { path, bytes, time = 0 } of entries) {
    const name = utf8.encode(bytes ? path : `${path}/`);
    if (name.length > 100) {
      // "LENGTH path=VALUE\n", where LENGTH counts itself.
      const rest = name.length + 7;
      let length = rest + String(rest).length;
      length = rest + String(length).length;
      const pax = utf8.encode(`${length} path=${text.decode(name)}\n`);
      parts.push(head(utf8.encode("pax"), pax.length, time, "x"), pax, new Uint8Array(-pax.length & (BLOCK - 1)));
    }
    parts.push(head(name.subarray(0, 100), bytes?.length ?? 0, time, bytes ? "0" : "5"));
    if (bytes) parts.push(bytes, new Uint8Array(-bytes.length & (BLOCK - 1)));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @param {Uint8Array} name @param {number} size @param {number} time @param {string} kind */
function head(name, size, time, kind) {
  const block = new Uint8Array(BLOCK);
  const octal = (/** @type {number} */ at, /** @type {number} */ digits, /** @type {number} */ value) => block.set(utf8.encode(value.toString(8).padStart(digits, "0")), at);
  block.set(name);
  octal(100, 7, kind === "5" ? 0o755 : 0o644);
  [108, 116].forEach((at) => octal(at, 7, 0));
  octal(124, 11, size);
  octal(136, 11, Math.floor(time / 1000));
  block.fill(32, 148, 156);
  block[156] = kind.charCodeAt(0);
  block.set(utf8.encode("ustar\x0000"), 257);
  octal(148, 6, block.reduce((sum, byte) => sum + byte, 0));
  block[154] = 0;
  return block;
}

/** @param {Uint8Array} bytes @returns {Entry[]} */
export function unpack(bytes) {
  const entries = [];
  const field = (/** @type {number} */ at, /** @type {number} */ length) => text.decode(bytes.subarray(at, at + length)).split("\0")[0];
  let long = "";
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at]; ) {
    const [size, sum] = [124, 148].map((from) => parseInt(field(at + from, from === 124 ? 12 : 8).trim() || "0", 8));
    const block = bytes.slice(at, at + BLOCK).fill(32, 148, 156);
    const end = at + BLOCK + size;
    if (block.reduce((all, byte) => all + byte, 0) !== sum || !(end <= bytes.length)) throw new Error(`the archive is damaged at byte ${at}`);
    const kind = String.fromCharCode(bytes[at + 156] || 48);
    const prefix = field(at + 257, 5) === "ustar" ? field(at + 345, 155) : "";
    const path = long || (prefix ? `${prefix}/` : "") + field(at, 100);
    const data = bytes.slice(at + BLOCK, end);
    const time = parseInt(field(at + 136, 12).trim() || "0", 8) * 1000;
    if (kind === "x") long = /\d+ path=(.*)\n/.exec(text.decode(data))?.[1] ?? "";
    else {
      if (kind === "0") entries.push({ path, bytes: data, time });
      if (kind === "5") entries.push({ path: path.replace(/\/+$/, ""), time });
      long = "";
    }
    at = Math.ceil(end / BLOCK) * BLOCK;
  }
  return entries;
}

/**
 * What a tree holds, to be packed.
 * @param {import("./tree.js").Tree} tree @returns {Entry[]}
 */
export const entries = (tree) => [...tree.walk()].map(({ path, node }) => ({ path, time: node.time, bytes: node.names ? undefined : tree.read(path) }));

/**
 * Puts what an archive holds into a tree; gives how many entries these are.
 * @param {import("./tree.js").Tree} tree @param {Uint8Array} archive
 */
export function extract(tree, archive) {
  const all = unpack(archive);
  for (const { path, bytes } of all) bytes ? tree.write(path, bytes) : tree.mkdir(path);
  return all.length;
}

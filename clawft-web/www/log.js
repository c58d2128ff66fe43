// The records of a log: what they look like, and what they do to a tree of files.
//
// Header, 32 bytes: "CLAWLOG1", u32 version, u32 epoch, 12 bytes that name the session, u32 CRC-32
// of these 28. Record, at multiples of 8: u32 bytes of the payload, u32 CRC-32 of that number and
// of all that follows, u64 sequence, u8 kind, 7 zero, payload, zeros. A file's payload: u32 bytes
// of its path, u32 `from`, f64 time, path, bytes: it holds what it had before `from`, then these.

export const KIND = { file: 1, removed: 2, folder: 3, turn: 4, sent: 5, answered: 6, image: 7, commit: 8, owner: 9, sync: 10 };
export const HEADER = 32;
const [HEAD, VERSION] = [24, 1];
const MAX_RECORD = 16 * 1024 * 1024;
const MAGIC = new TextEncoder().encode("CLAWLOG1");
const utf8 = new TextEncoder();
const text = new TextDecoder();
// Four tables, so that four bytes are taken at a time ("slicing by 4").
const TABLE = new Uint32Array(1024);
for (let i = 0; i < 256; i += 1) {
  TABLE[i] = i;
  for (let k = 0; k < 8; k += 1) TABLE[i] = TABLE[i] & 1 ? (TABLE[i] >>> 1) ^ 0xedb88320 : TABLE[i] >>> 1;
}
for (let i = 256; i < 1024; i += 1) TABLE[i] = TABLE[TABLE[i - 256] & 255] ^ (TABLE[i - 256] >>> 8);

/** @typedef {{ kind: number, payload: Uint8Array }} Record */

/** CRC-32 (ISO 3309), going on from `crc`. @param {Uint8Array} bytes */
export function crc32(bytes, crc = 0) {
  crc = ~crc;
  let at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc = TABLE[768 + (crc & 255)] ^ TABLE[512 + ((crc >>> 8) & 255)] ^ TABLE[256 + ((crc >>> 16) & 255)] ^ TABLE[crc >>> 24];
  }
  for (; at < bytes.length; at += 1) crc = TABLE[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const padded = (/** @type {number} */ length) => Math.ceil(length / 8) * 8;
const checksum = (/** @type {Uint8Array} */ record) => crc32(record.subarray(8), crc32(record.subarray(0, 4)));
export const json = (/** @type {any} */ value) => utf8.encode(JSON.stringify(value));
/** @param {Uint8Array} bytes @returns {any} */
export const parsed = (bytes) => JSON.parse(text.decode(bytes));

/**
 * Records one after the other, the first with this sequence.
 * @param {Record[]} records
 * @param {number} sequence
 */
function encode(records, sequence) {
  const bytes = new Uint8Array(records.reduce((sum, { payload }) => sum + HEAD + padded(payload.length), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { kind, payload } of records) {
    if (payload.length > MAX_RECORD) throw new RangeError(`a record of ${payload.length} bytes, more than ${MAX_RECORD}`);
    const end = at + HEAD + padded(payload.length);
    view.setUint32(at, payload.length, true);
    view.setBigUint64(at + 8, BigInt(sequence), true);
    bytes[at + 16] = kind;
    bytes.set(payload, at + HEAD);
    view.setUint32(at + 4, checksum(bytes.subarray(at, end)), true);
    [at, sequence] = [end, sequence + 1];
  }
  return bytes;
}

/** The record at `at`, if a whole one is there. @param {Uint8Array} bytes @param {number} at */
export function record(bytes, at) {
  if (at + HEAD > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const length = view.getUint32(0, true);
  const end = at + HEAD + padded(length);
  if (length > MAX_RECORD || end > bytes.length || checksum(bytes.subarray(at, end)) !== view.getUint32(4, true)) return undefined;
  return { kind: bytes[at + 16], sequence: Number(view.getBigUint64(8, true)), payload: bytes.subarray(at + HEAD, at + HEAD + length), end };
}

/**
 * What commits of (first sequence, count) hold together, from `at` on.
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} sequence
 */
export function committed(bytes, at, sequence) {
  /** @type {Record[]} */
  const records = [];
  let [end, next, pending, last] = [at, sequence, /** @type {Record[]} */ ([]), -1];
  for (let one = record(bytes, at); one && one.sequence === next; one = record(bytes, one.end)) {
    next += 1;
    if (one.kind !== KIND.commit) pending.push(one);
    else {
      const view = new DataView(one.payload.buffer, one.payload.byteOffset, one.payload.length);
      last = one.payload.length === 12 ? view.getUint32(8, true) : -1;
      if (last !== pending.length || view.getBigUint64(0, true) !== BigInt(sequence)) break;
      records.push(...pending);
      [end, pending, sequence] = [one.end, [], next];
    }
  }
  return { records, end, sequence, ended: last === 0 && end === bytes.length };
}

/** All whole records, wherever they are: of a file that is damaged. @param {Uint8Array} bytes */
export function found(bytes, at = 0) {
  const records = [];
  while (at + HEAD <= bytes.length) {
    const one = record(bytes, at);
    if (one) records.push(one);
    at = one ? one.end : at + 8;
  }
  return records;
}

/** @param {Record[]} records @param {number} sequence */
export function group(records, sequence) {
  const payload = new Uint8Array(12);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, BigInt(sequence), true);
  view.setUint32(8, records.length, true);
  return encode([...records, { kind: KIND.commit, payload }], sequence);
}

/** @param {number} epoch @param {Uint8Array} id 12 bytes */
export function header(epoch, id) {
  const bytes = new Uint8Array(HEADER);
  bytes.set(MAGIC);
  bytes.set(id, 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, epoch, true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

/** @param {Uint8Array} bytes @param {string} name */
export function readHeader(bytes, name) {
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(28, true) !== crc32(bytes.subarray(0, 28)) || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  if (view.getUint32(8, true) !== VERSION) throw new Newer(`${name} is of version ${view.getUint32(8, true)}; this page knows ${VERSION}: load the newer one`);
  return { epoch: view.getUint32(12, true), id: bytes.slice(16, 28) };
}

/** A log of a version that is not known: it is left alone. */
export class Newer extends Error {}

/** @param {string} path @param {number} from @param {number} time @param {Uint8Array} bytes */
export function filePayload(path, from, time, bytes) {
  const name = utf8.encode(path);
  const payload = new Uint8Array(16 + name.length + bytes.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, name.length, true);
  view.setUint32(4, from, true);
  view.setFloat64(8, time, true);
  payload.set(name, 16);
  payload.set(bytes, 16 + name.length);
  return payload;
}

/**
 * Does to a tree what a record says.
 * @param {import("./tree.js").Tree} tree
 * @param {Record} record
 */
export function apply(tree, { kind, payload }) {
  if (kind < KIND.file || kind > KIND.folder) return;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const [length, from, time] = [view.getUint32(0, true), view.getUint32(4, true), view.getFloat64(8, true)];
  const path = text.decode(payload.subarray(16, 16 + length));
  const there = tree.find(path);
  if (there && (kind === KIND.removed || (kind === KIND.file) === (there.names !== undefined))) tree.remove(path);
  if (kind === KIND.folder) tree.mkdir(path);
  if (kind === KIND.file) tree.write(path, payload.subarray(16 + length), from);
  const node = tree.find(path);
  if (node) node.time = time;
}

/**
 * The records that make of a tree as it was saved the tree as it is.
 * @param {import("./tree.js").Tree} tree
 * @returns {Record[]}
 */
export function changes(tree) {
  /** @type {[Record[], Record[], Record[]]} */
  const [gone, folders, files] = [[], [], []];
  for (const [path, change] of tree.dirty) {
    const node = tree.find(path);
    const none = new Uint8Array();
    if (!node) gone.push({ kind: KIND.removed, payload: filePayload(path, 0, tree.now(), none) });
    else if (node.names) folders.push({ kind: KIND.folder, payload: filePayload(path, 0, node.time, none) });
    else {
      const from = change.from ?? 0;
      files.push({ kind: KIND.file, payload: filePayload(path, from, node.time, node.data.subarray(from, node.size)) });
    }
  }
  return [...gone, ...folders, ...files];
}

/**
 * An image: u32 bytes of its name, u32 bytes of its memory, name, memory, files. Without memory it is dropped.
 * @param {string} name @param {Uint8Array} memory @param {Uint8Array} files
 */
export function imagePayload(name, memory, files) {
  const called = utf8.encode(name);
  const payload = new Uint8Array(8 + called.length + memory.length + files.length);
  const view = new DataView(payload.buffer);
  view.setUint32(0, called.length, true);
  view.setUint32(4, memory.length, true);
  payload.set(called, 8);
  payload.set(memory, 8 + called.length);
  payload.set(files, 8 + called.length + memory.length);
  return payload;
}

/** @param {Uint8Array} payload */
export function readImage(payload) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const [end, length] = [8 + view.getUint32(0, true), view.getUint32(4, true)];
  return { name: text.decode(payload.subarray(8, end)), memory: payload.slice(end, end + length), files: payload.slice(end + length) };
}

// What the reactor imports of WASI preview 1, over a tree of files in memory: one preopened
// directory, descriptor 3.
import { Errno, fail } from "./tree.js";

const [ACCES, BADF, EXIST, INVAL, ISDIR, NOENT, NOTDIR] = [2, 8, 20, 28, 31, 44, 54];
const [FOLDER, FILE] = [3, 4];
const text = new TextDecoder("utf-8", { fatal: true });
const utf8 = new TextEncoder();

/** @typedef {import("./tree.js").Node} Node */
/**
 * @typedef {{ node: Node, path: string, end: boolean, place: number, list: [string, Node][] }} Open
 */

/**
 * What calls need of the reactor: its memory, and what it has open.
 * @param {import("./tree.js").Tree} tree
 * @param {() => WebAssembly.Memory} memory
 */
function guest(tree, memory) {
  /** @type {Map<number, Open>} */
  const open = new Map([[3, { node: tree.root, path: "", end: false, place: 0, list: [] }]]);
  const view = () => new DataView(memory().buffer);
  /** @param {number} at @param {number} length */
  const bytes = (at, length) => new Uint8Array(memory().buffer, at, length);
  /** @param {number} fd */
  const of = (fd) => open.get(fd) ?? fail(BADF);
  /** @param {number} fd @param {number} at @param {number} length */
  const name = (fd, at, length) => {
    const base = of(fd).path;
    try {
      return (base ? `${base}/` : "") + text.decode(bytes(at, length));
    } catch {
      return fail(INVAL);
    }
  };
  /** @param {number} at @param {number} count */
  const parts = (at, count) =>
    Array.from({ length: count }, (_, i) => bytes(view().getUint32(at + i * 8, true), view().getUint32(at + i * 8 + 4, true)));
  /** @param {number} at @param {number} value */
  const word = (at, value) => view().setUint32(at, value, true);
  return { open, view, bytes, of, name, parts, word };
}

/** @typedef {Record<string, (...args: any[]) => void>} Calls */
/** @typedef {import("./tree.js").Tree} Tree */
/** @typedef {ReturnType<typeof guest>} Guest */

/** By descriptor. @param {Tree} tree @param {Guest} guest @returns {Calls} */
function files(tree, { open, view, bytes, of, parts, word }) {
  return {
    clock_time_get: (_id, _precision, at) => view().setBigUint64(at, BigInt(tree.now()) * 1_000_000n, true),
    fd_close: (fd) => open.delete(of(fd) && fd),
    fd_filestat_set_size: (fd, size) => tree.resize(of(fd).node, of(fd).path, Number(size)),
    fd_prestat_get: (fd, at) => [fd === 3 || fail(BADF), word(at, 0), word(at + 4, 1)],
    fd_pread(fd, at, count, from, done) {
      const { node } = of(fd);
      if (node.names) fail(ISDIR);
      let place = Number(from);
      for (const part of parts(at, count)) {
        const found = node.data.subarray(Math.min(place, node.size), Math.min(place + part.length, node.size));
        part.set(found);
        place += found.length;
      }
      word(done, place - Number(from));
    },
    fd_readdir(fd, at, length, cookie, done) {
      const file = of(fd);
      if (cookie === 0n) file.list = [...(file.node.names ?? fail(NOTDIR))];
      const out = bytes(at, length);
      let used = 0;
      for (let i = Number(cookie); i < file.list.length && used < length; i += 1) {
        const [called, node] = file.list[i];
        const written = utf8.encode(called);
        const entry = new Uint8Array(24 + written.length);
        const fields = new DataView(entry.buffer);
        fields.setBigUint64(0, BigInt(i + 1), true);
        fields.setUint32(16, written.length, true);
        entry[20] = node.names ? FOLDER : FILE;
        entry.set(written, 24);
        out.set(entry.subarray(0, length - used), used);
        used += Math.min(entry.length, length - used);
      }
      word(done, used);
    },
    fd_sync: (fd) => of(fd),
    fd_write(fd, at, count, done) {
      const file = of(fd);
      if (file.node.names) fail(ISDIR);
      let sum = 0;
      for (const part of parts(at, count)) {
        if (file.end) file.place = file.node.size;
        tree.put(file.node, file.path, part, file.place);
        file.place += part.length;
        sum += part.length;
      }
      word(done, sum);
    },
  };
}

/** By path. @param {Tree} tree @param {Guest} guest @returns {Calls} */
function paths(tree, { open, view, bytes, name, word }) {
  return {
    path_create_directory(fd, at, length) {
      const path = name(fd, at, length);
      const { node, parent } = tree.at(path);
      if (node) fail(EXIST);
      if (!parent.names) fail(NOTDIR);
      tree.mkdir(path);
    },
    path_filestat_get(fd, _flags, at, length, to) {
      const node = tree.at(name(fd, at, length)).node ?? fail(NOENT);
      bytes(to, 64).fill(0);
      view().setUint8(to + 16, node.names ? FOLDER : FILE);
      view().setBigUint64(to + 24, 1n, true);
      view().setBigUint64(to + 32, BigInt(node.size), true);
      for (const place of [40, 48, 56]) view().setBigUint64(to + place, BigInt(node.time) * 1_000_000n, true);
    },
    path_open(fd, _look, at, length, how, _base, _inheriting, flags, to) {
      const path = name(fd, at, length);
      let { node, path: whole } = tree.at(path);
      if (node && how & 4) fail(EXIST);
      if (node && !node.names && how & 2) fail(NOTDIR);
      if (node?.names && how & 9) fail(ISDIR);
      if (!node) node = how & 1 ? tree.create(path) : fail(NOENT);
      if (how & 8) tree.resize(node, whole, 0);
      let free = 4;
      while (open.has(free)) free += 1;
      open.set(free, { node, path: whole, end: (flags & 1) === 1, place: 0, list: [] });
      word(to, free);
    },
    path_readlink: (fd, at, length) => fail(tree.at(name(fd, at, length)).node ? INVAL : NOENT),
    path_rename: (fd, at, length, other, to, size) => tree.rename(name(fd, at, length), name(other, to, size)),
    path_unlink_file(fd, at, length) {
      const path = name(fd, at, length);
      if (tree.at(path).node?.names) fail(ISDIR);
      tree.remove(path);
    },
  };
}

/**
 * The imports of the reactor. `memory` gives its memory, once there is one.
 * @param {Tree} tree
 * @param {() => WebAssembly.Memory} memory
 */
export function imports(tree, memory) {
  const its = guest(tree, memory);
  const calls = { ...files(tree, its), ...paths(tree, its) };
  /** @param {(...args: any[]) => void} call @returns {(...args: any[]) => number} */
  const answered = (call) => (...args) => {
    try {
      call(...args);
      return 0;
    } catch (error) {
      return error instanceof Errno ? error.number : error instanceof RangeError ? INVAL : ACCES;
    }
  };
  return { wasi_snapshot_preview1: Object.fromEntries(Object.entries(calls).map(([called, call]) => [called, answered(call)])) };
}

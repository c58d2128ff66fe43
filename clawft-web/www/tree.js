// A tree of files in memory: what the agent works in. It notes every change, which is what the log
// of `store.js` writes. What goes wrong is a number of WASI preview 1. There are no links.

const [INVAL, ISDIR, NOENT, NOSPC, NOTDIR, NOTEMPTY, NOTCAPABLE] = [28, 31, 44, 51, 54, 55, 76];
const MAX_BYTES = 64 * 1024 * 1024;

/** @typedef {{ names?: Map<string, Node>, data: Uint8Array, size: number, time: number }} Node */
/**
 * @typedef {{ from?: number, gone?: boolean, folder?: boolean }} Change what a path has seen since the last save
 */

/** What WASI answers with instead of going on. */
export class Errno extends Error {
  /** @param {number} number */
  constructor(number) {
    super(`errno ${number}`);
    this.number = number;
  }
}

/** @param {number} number @returns {never} */
export const fail = (number) => {
  throw new Errno(number);
};

/** A tree of files in memory. Paths are relative, with `/` between names. */
export class Tree {
  constructor(now = Date.now) {
    this.now = now;
    this.root = this.folder();
    this.bytes = 0;
    /** @type {Map<string, Change>} */
    this.dirty = new Map();
  }

  /** @returns {Node} */
  folder() {
    return { names: new Map(), data: new Uint8Array(), size: 0, time: this.now() };
  }

  /**
   * Where a path leads: the folder it is in, its last name, and what is there.
   * @param {string} path
   */
  at(path) {
    if (path.startsWith("/") || path.includes("\0")) fail(NOTCAPABLE);
    const names = [];
    for (const name of path.split("/")) {
      if (name === "..") names.length ? names.pop() : fail(NOTCAPABLE);
      else if (name && name !== ".") names.push(name);
    }
    let [parent, node] = [this.root, /** @type {Node | undefined} */ (this.root)];
    for (const name of names) {
      if (!node) fail(NOENT);
      parent = node;
      node = (parent.names ?? fail(NOTDIR)).get(name);
    }
    if (node && !node.names && path.endsWith("/")) fail(NOTDIR);
    return { parent, name: names.at(-1) ?? "", node, path: names.join("/") };
  }

  /** @param {string} path @returns {Node | undefined} */
  find(path) {
    try {
      return this.at(path).node;
    } catch {
      return undefined;
    }
  }

  /**
   * Notes a change: what a file has before `from` is as it was.
   * @param {string} path
   * @param {number} from
   */
  touch(path, from) {
    const old = this.dirty.get(path);
    this.dirty.set(path, { from: old?.gone ? 0 : Math.min(from, old?.from ?? from) });
  }

  /** Makes a file. @param {string} path @returns {Node} */
  create(path) {
    const { parent, name, path: whole } = this.at(path);
    const node = { data: new Uint8Array(), size: 0, time: this.now() };
    /** @type {Map<string, Node>} */ (parent.names).set(name, node);
    this.touch(whole, 0);
    return node;
  }

  /** Makes a folder, and those it is in. @param {string} path */
  mkdir(path) {
    const names = path.split("/").filter(Boolean);
    for (let i = 1; i <= names.length; i += 1) {
      const { parent, name, node, path: whole } = this.at(names.slice(0, i).join("/"));
      if (node && !node.names) fail(NOTDIR);
      if (node) continue;
      /** @type {Map<string, Node>} */ (parent.names).set(name, this.folder());
      this.dirty.set(whole, { folder: true });
    }
  }

  /** A file's end is `size` now. @param {Node} node @param {string} path @param {number} size */
  resize(node, path, size) {
    if (this.bytes + size - node.size > MAX_BYTES) fail(NOSPC);
    if (size > node.data.length) {
      const data = new Uint8Array(Math.max(size, node.data.length * 2));
      data.set(node.data.subarray(0, node.size));
      node.data = data;
    } else if (size < node.size) node.data.fill(0, size, node.size);
    this.touch(path, Math.min(size, node.size));
    this.bytes += size - node.size;
    [node.size, node.time] = [size, this.now()];
  }

  /**
   * Writes at `from`, where the file then ends unless it goes on.
   * @param {Node} node
   * @param {string} path
   * @param {Uint8Array} bytes
   * @param {number} from
   */
  put(node, path, bytes, from) {
    this.resize(node, path, Math.max(node.size, from + bytes.length));
    node.data.set(bytes, from);
    this.touch(path, from);
  }

  /**
   * A file holds what it had before `from`, then `bytes`. Makes it, and the folders.
   * @param {string} path
   * @param {Uint8Array} bytes
   */
  write(path, bytes, from = 0) {
    this.mkdir(path.split("/").slice(0, -1).join("/"));
    const { node, path: whole } = this.at(path);
    if (node?.names) fail(ISDIR);
    const file = node ?? this.create(path);
    this.resize(file, whole, from);
    this.put(file, whole, bytes, from);
  }

  /** @param {string} path @returns {Uint8Array} the file's bytes, a copy */
  read(path) {
    const { node } = this.at(path);
    if (!node) return fail(NOENT);
    if (node.names) fail(ISDIR);
    return node.data.slice(0, node.size);
  }

  /** Takes away a file, or a folder with all that is in it. @param {string} path */
  remove(path) {
    const { parent, name, node, path: whole } = this.at(path);
    if (!node || !name) return fail(NOENT);
    for (const below of [...(node.names?.keys() ?? [])]) this.remove(`${whole}/${below}`);
    this.bytes -= node.size;
    /** @type {Map<string, Node>} */ (parent.names).delete(name);
    this.dirty.set(whole, { gone: true });
  }

  /** @param {string} from @param {string} to */
  rename(from, to) {
    const [old, next] = [this.at(from), this.at(to)];
    if (!old.node || !old.name) return fail(NOENT);
    if (next.node === old.node) return;
    if (`${next.path}/`.startsWith(`${old.path}/`)) fail(INVAL);
    if (next.node && !old.node.names && next.node.names) fail(ISDIR);
    if (next.node && old.node.names && !next.node.names) fail(NOTDIR);
    if (next.node?.names?.size) fail(NOTEMPTY);
    if (next.node) this.remove(to);
    /** @type {Map<string, Node>} */ (old.parent.names).delete(old.name);
    /** @type {Map<string, Node>} */ (next.parent.names ?? fail(NOTDIR)).set(next.name, old.node);
    this.dirty.set(old.path, { gone: true });
    for (const { path, node } of this.walk(old.node, next.path)) {
      this.dirty.set(old.path + path.slice(next.path.length), { gone: true });
      this.dirty.set(path, node.names ? { folder: true } : { from: 0 });
    }
  }

  /**
   * Everything, folders before what is in them.
   * @param {Node} [node]
   * @returns {Generator<{ path: string, node: Node }>}
   */
  *walk(node = this.root, path = "") {
    if (path) yield { path, node };
    for (const [name, below] of node.names ?? []) yield* this.walk(below, path ? `${path}/${name}` : name);
  }
}

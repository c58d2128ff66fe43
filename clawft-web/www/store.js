// The log of a session: records with a checksum, saved in groups that end with a commit, compacted in generations.
//
// Header, 32 bytes: "CLAWLOG1", u32 version, u32 epoch, 12 bytes that name the session, u32 CRC-32 of these 28. Record, at multiples of
// 8: u32 bytes of the payload, u32 CRC-32 of that number and of all that follows, u64 sequence, u8 kind, 7 zero, payload, zeros.
// A file's payload: u32 bytes of its path, u32 `from`, f64 time, path, bytes: it holds what it had before `from`, then these.
import { Tree } from "./tree.js";

export const KIND = { file: 1, removed: 2, folder: 3, turn: 4, sent: 5, answered: 6, image: 7, commit: 8, owner: 9, sync: 10 };
const [HEADER, HEAD, VERSION] = [32, 24, 1];
const MAX_RECORD = 16 * 1024 * 1024;
const COMPACT = 1024 * 1024;
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

/** @typedef {{ read(at: number, length: number): Uint8Array, write(bytes: Uint8Array, at: number): void, flush(): void | Promise<void>, truncate(size: number): void, size(): number, close(): void | Promise<void> }} Handle */
/** @typedef {{ kind: string, list(): Promise<string[]>, open(name: string): Promise<Handle>, remove(name: string): Promise<void> }} Files */
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
const json = (/** @type {any} */ value) => utf8.encode(JSON.stringify(value));
/** @param {Uint8Array} bytes @returns {any} */
export const parsed = (bytes) => JSON.parse(text.decode(bytes));

/** Records one after the other, the first with this sequence. @param {Record[]} records @param {number} sequence */
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
function record(bytes, at) {
  if (at + HEAD > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const length = view.getUint32(0, true);
  const end = at + HEAD + padded(length);
  if (length > MAX_RECORD || end > bytes.length || checksum(bytes.subarray(at, end)) !== view.getUint32(4, true)) return undefined;
  return { kind: bytes[at + 16], sequence: Number(view.getBigUint64(8, true)), payload: bytes.subarray(at + HEAD, at + HEAD + length), end };
}

/** What commits of (first sequence, count) hold together, from `at` on. @param {Uint8Array} bytes @param {number} at @param {number} sequence */
function committed(bytes, at, sequence) {
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
function found(bytes, at = 0) {
  const records = [];
  while (at + HEAD <= bytes.length) {
    const one = record(bytes, at);
    if (one) records.push(one);
    at = one ? one.end : at + 8;
  }
  return records;
}

/** @param {Record[]} records @param {number} sequence */
function group(records, sequence) {
  const payload = new Uint8Array(12);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, BigInt(sequence), true);
  view.setUint32(8, records.length, true);
  return encode([...records, { kind: KIND.commit, payload }], sequence);
}

/** @param {number} epoch @param {Uint8Array} id 12 bytes */
function header(epoch, id) {
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
function readHeader(bytes, name) {
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(28, true) !== crc32(bytes.subarray(0, 28)) || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  if (view.getUint32(8, true) !== VERSION) throw new Newer(`${name} is of version ${view.getUint32(8, true)}; this page knows ${VERSION}: load the newer one`);
  return { epoch: view.getUint32(12, true), id: bytes.slice(16, 28) };
}

/** A log of a version that is not known: it is left alone. */
export class Newer extends Error {}

/** @param {string} path @param {number} from @param {number} time @param {Uint8Array} bytes */
function filePayload(path, from, time, bytes) {
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

/** Does to a tree what a record says. @param {Tree} tree @param {Record} record */
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

/** The records that make of a tree as it was saved the tree as it is. @param {Tree} tree @returns {Record[]} */
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

/** A session's log, open, with what it holds. */
export class Store {
  /** @param {Files} files @param {Tree} tree */
  constructor(files, tree) {
    this.files = files;
    this.tree = tree;
    this.generation = 0;
    /** @type {Handle | undefined} */
    this.log = undefined;
    this.end = HEADER;
    this.sequence = 1;
    this.epoch = 0;
    this.id = new Uint8Array(12);
    /** @type {Record[]} */
    this.queue = [];
    /** Calls sent and not answered. @type {Map<number, any>} */
    this.calls = new Map();
    /** @type {Uint8Array | undefined} */
    this.image = undefined;
    /** @type {any} */
    this.turn = undefined;
    /** What `sync.js` keeps. @type {any} */
    this.sync = undefined;
    this.cut = 0;
    this.damaged = false;
    this.owned = false;
    this.paused = "";
    /** @type {{ ms: number, bytes: number }[]} */
    this.saves = [];
    /** @type {Promise<unknown>} */
    this.running = Promise.resolve();
    this.working = 0;
  }

  /** Opens what is there, or begins. @param {Files} files @param {Tree} [tree] */
  static async open(files, tree = new Tree()) {
    const store = new Store(files, tree);
    const names = await files.list();
    const generations = [...new Set(names.map((name) => /^g(\d+)\.(base|log)$/.exec(name)?.[1] ?? "").filter(Boolean))].map(Number).sort((a, b) => b - a);
    const bytes = async (/** @type {string} */ name) => {
      if (!names.includes(name)) return new Uint8Array();
      const handle = await files.open(name);
      const all = handle.read(0, handle.size());
      await handle.close();
      return all;
    };
    let [base, whole] = [new Uint8Array(), generations.length === 0];
    for (const generation of generations) {
      base = await bytes(`g${generation}.base`);
      store.generation = generation;
      const known = readHeader(base, `g${generation}.base`);
      whole = generation === 0 && base.length === 0;
      if (known) {
        const { records, sequence, ended } = committed(base, HEADER, 1);
        // A base begins where its own records say.
        const first = record(base, HEADER)?.sequence ?? 1;
        const really = first === 1 ? { records, sequence, ended } : committed(base, HEADER, first);
        if (really.ended) {
          [store.id, store.epoch, store.sequence, whole] = [known.id, known.epoch, really.sequence, true];
          really.records.forEach((one) => store.take(one));
        }
      }
      if (whole) break;
    }
    if (!whole) return store.rescue(names, bytes);
    const name = `g${store.generation}.log`;
    const log = await bytes(name);
    const known = readHeader(log, name);
    const { records, end, sequence } = committed(log, HEADER, store.sequence);
    records.forEach((one) => store.take(one));
    if (known && store.generation === 0) store.id = known.id;
    store.epoch = Math.max(store.epoch, known?.epoch ?? 0);
    [store.end, store.sequence, store.cut] = [Math.max(end, HEADER), sequence, Math.max(log.length - end, 0)];
    if (!store.id.some(Boolean)) crypto.getRandomValues(store.id);
    // What comes after damage is kept beside: a torn save has nothing whole in it that ends with a commit.
    if (found(log, end).some(({ kind }) => kind === KIND.commit)) {
      store.damaged = true;
      await store.keep(`${name}-${Date.now()}.damaged`, log);
    }
    store.log = await files.open(name);
    if (store.log.size() !== store.end) store.log.truncate(store.end);
    if (!known) store.log.write(header(store.epoch, store.id), 0);
    if (!known || store.cut) await store.log.flush();
    for (const other of names) if (/^g\d+\.(base|log)$/.test(other) && !other.startsWith(`g${store.generation}.`)) await files.remove(other);
    tree.dirty.clear();
    return store;
  }

  /** No generation is whole: everything that is still readable, and the files as they were, beside. @param {string[]} names @param {(name: string) => Promise<Uint8Array>} bytes */
  async rescue(names, bytes) {
    const kept = names.filter((name) => /^g\d+\.(base|log)$/.test(name)).sort((a, b) => parseInt(a.slice(1), 10) - parseInt(b.slice(1), 10) || (a < b ? -1 : 1));
    for (const name of kept) {
      const all = await bytes(name);
      await this.keep(`${name}-${Date.now()}.damaged`, all);
      for (const one of found(all)) {
        this.sequence = Math.max(this.sequence, one.sequence + 1);
        try {
          this.take(one);
        } catch {
          // A change of a file whose beginning is lost.
        }
      }
      this.generation = Math.max(this.generation, parseInt(name.slice(1), 10));
    }
    this.damaged = true;
    crypto.getRandomValues(this.id);
    await this.compact();
    this.tree.dirty.clear();
    return this;
  }

  /** @param {string} name @param {Uint8Array} bytes */
  async keep(name, bytes) {
    const handle = await this.files.open(name);
    handle.write(bytes, 0);
    await handle.flush();
    await handle.close();
  }

  /** @param {Record} record */
  take(record) {
    const { kind, payload } = record;
    apply(this.tree, record);
    if (kind === KIND.turn) this.turn = parsed(payload);
    if (kind === KIND.sent) this.calls.set(parsed(payload).call, parsed(payload));
    if (kind === KIND.answered) this.calls.delete(parsed(payload).call);
    if (kind === KIND.image) this.image = payload.length ? payload.slice() : undefined;
    if (kind === KIND.sync) this.sync = parsed(payload);
    if (kind === KIND.owner) this.epoch = Math.max(this.epoch, parsed(payload).epoch);
  }

  /** A record that goes with the next save. @param {number} kind @param {any} value JSON, or bytes */
  note(kind, value) {
    const one = { kind, payload: value instanceof Uint8Array ? value : json(value) };
    this.queue.push(one);
    this.take(one);
  }

  /** Whether there is anything to save. */
  get pending() {
    return this.queue.length > 0 || this.tree.dirty.size > 0;
  }

  /** Saves what has changed, at once where the backend can: when this returns, or its promise is kept. @returns {Promise<boolean>} whether anything was written */
  save() {
    return this.next(() => this.write());
  }

  /** One after the other; at once where nothing is running. @template T @param {() => T | Promise<T>} run @returns {Promise<T>} */
  next(run) {
    /** @type {Promise<T>} */
    let result;
    this.working += 1;
    if (this.working > 1) result = this.running.then(run);
    else
      try {
        result = Promise.resolve(run());
      } catch (error) {
        result = Promise.reject(error);
      }
    this.running = result.catch(() => undefined).then(() => {
      this.working -= 1;
    });
    return result;
  }

  /** @returns {boolean | Promise<boolean>} */
  write() {
    if (!this.pending) return false;
    if (!this.log) throw new Error("the log is closed");
    const start = performance.now();
    const [queue, dirty] = [this.queue, this.tree.dirty];
    const records = [...changes(this.tree), ...queue];
    if (!this.owned) records.unshift({ kind: KIND.owner, payload: json({ epoch: this.epoch + 1, time: Date.now() }) });
    const bytes = group(records, this.sequence);
    [this.queue, this.tree.dirty] = [[], new Map()];
    const failed = (/** @type {unknown} */ error) => {
      // All is as before: the paths are dirty as they now are, and what was written is cut off.
      this.queue = [...queue, ...this.queue];
      for (const path of dirty.keys()) this.tree.dirty.set(path, { from: 0 });
      this.paused = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      try {
        this.log?.truncate(this.end);
      } catch {
        // What follows the last commit is cut off at the next opening.
      }
      throw error;
    };
    const done = () => {
      if (!this.owned) [this.owned, this.epoch] = [true, this.epoch + 1];
      this.end += bytes.length;
      this.sequence += records.length + 1;
      this.paused = "";
      this.saves.push({ ms: performance.now() - start, bytes: bytes.length });
      if (this.saves.length > 1000) this.saves.shift();
      if (this.end > COMPACT && this.end > 4 * this.live()) this.next(() => this.compact()).catch(() => undefined);
      return true;
    };
    try {
      this.log.write(bytes, this.end);
      const flushed = this.log.flush();
      return flushed ? flushed.then(done, failed) : done();
    } catch (error) {
      return failed(error);
    }
  }

  /** Bytes that a base would have, about. */
  live() {
    let bytes = this.image?.length ?? 0;
    for (const { path, node } of this.tree.walk()) bytes += node.size + path.length + 48;
    return bytes;
  }

  /** A new generation with what lives; the old one goes when that is whole. */
  async compact() {
    /** @type {Record[]} */
    const records = [...this.tree.walk()].map(({ path, node }) => ({
      kind: node.names ? KIND.folder : KIND.file,
      payload: filePayload(path, 0, node.time, node.data.slice(0, node.size)),
    }));
    if (this.turn) records.push({ kind: KIND.turn, payload: json(this.turn) });
    if (this.sync) records.push({ kind: KIND.sync, payload: json(this.sync) });
    for (const call of this.calls.values()) records.push({ kind: KIND.sent, payload: json(call) });
    if (this.image) records.push({ kind: KIND.image, payload: this.image });
    // All that is in the tree is in the base, what is not saved yet as well.
    const [queue, dirty, old, generation] = [this.queue, this.tree.dirty, this.log, this.generation + 1];
    [this.queue, this.tree.dirty] = [[], new Map()];
    const parts = [header(this.epoch, this.id)];
    let sequence = this.sequence;
    for (const one of records) {
      parts.push(group([one], sequence));
      sequence += 2;
    }
    parts.push(group([], sequence));
    sequence += 1;
    const name = `g${generation}.base`;
    try {
      const base = await this.files.open(name);
      try {
        base.truncate(0);
        let at = 0;
        for (const part of parts) {
          base.write(part, at);
          at += part.length;
        }
        await base.flush();
      } finally {
        await base.close();
      }
      const log = await this.files.open(`g${generation}.log`);
      log.truncate(0);
      log.write(header(this.epoch, this.id), 0);
      await log.flush();
      [this.log, this.end, this.sequence, this.generation] = [log, HEADER, sequence, generation];
    } catch (error) {
      this.queue = [...queue, ...this.queue];
      for (const path of dirty.keys()) this.tree.dirty.set(path, { from: 0 });
      this.paused = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      // A whole base without its log would be taken for the newest: it must go before anything is saved.
      try {
        await this.files.remove(name);
      } catch (stuck) {
        await this.log?.close();
        this.log = undefined;
        throw stuck;
      }
      throw error;
    }
    await old?.close();
    for (const other of await this.files.list()) if (/^g\d+\.(base|log)$/.test(other) && parseInt(other.slice(1), 10) < generation) await this.files.remove(other);
  }

  /** Saves, and lets go. */
  async close() {
    await this.running;
    try {
      if (this.log) await this.save();
    } finally {
      await this.running;
      await this.log?.close();
      this.log = undefined;
    }
  }
}

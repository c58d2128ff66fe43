// The log of a session: records are saved in groups that end with a commit, and compacted in
// generations. `log.js` has their form.
import { apply, changes, committed, filePayload, found, group, HEADER, header, imagePayload, json, KIND, parsed, readHeader, readImage, record } from "./log.js";
import { Tree } from "./tree.js";

const COMPACT = 1024 * 1024;

/**
 * @typedef {{ read(at: number, length: number): Uint8Array, write(bytes: Uint8Array, at: number): void, flush(): void | Promise<void>, truncate(size: number): void, size(): number, close(): void | Promise<void> }} Handle
 */
/**
 * @typedef {{ kind: string, list(): Promise<string[]>, open(name: string): Promise<Handle>, remove(name: string): Promise<void> }} Files
 */
/** @typedef {import("./log.js").Record} Record */

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
    /**
     * Images by name, "" is the last one of a turn in flight.
     * @type {Map<string, { memory: Uint8Array, files: Uint8Array }>}
     */
    this.images = new Map();
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
    // What comes after damage is kept beside: a torn save has nothing whole in it that ends with a
    // commit.
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

  /**
   * No generation is whole: everything that is still readable, and the files as they were, beside.
   * @param {string[]} names
   * @param {(name: string) => Promise<Uint8Array>} bytes
   */
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
    if (kind === KIND.image) {
      const { name, memory, files } = readImage(payload);
      memory.length ? this.images.set(name, { memory, files }) : this.images.delete(name);
    }
    if (kind === KIND.sync) this.sync = parsed(payload);
    if (kind === KIND.owner) this.epoch = Math.max(this.epoch, parsed(payload).epoch);
  }

  /**
   * A record that goes with the next save.
   * @param {number} kind
   * @param {any} value JSON, or bytes
   */
  note(kind, value) {
    const one = { kind, payload: value instanceof Uint8Array ? value : json(value) };
    this.queue.push(one);
    this.take(one);
  }

  /**
   * An image goes with the next save; without memory it is dropped.
   * @param {string} name
   * @param {Uint8Array} [memory]
   * @param {Uint8Array} [files]
   */
  image(name, memory = new Uint8Array(), files = new Uint8Array()) {
    this.note(KIND.image, imagePayload(name, memory, files));
  }

  /** Whether there is anything to save. */
  get pending() {
    return this.queue.length > 0 || this.tree.dirty.size > 0;
  }

  /**
   * Saves what has changed, at once where the backend can: when this returns, or its promise is
   * kept.
   * @returns {Promise<boolean>} whether anything was written
   */
  save() {
    return this.next(() => this.write());
  }

  /**
   * One after the other; at once where nothing is running.
   * @template T
   * @param {() => T | Promise<T>} run
   * @returns {Promise<T>}
   */
  next(run) {
    /** @type {Promise<T>} */
    let result;
    // Who comes while this runs, what it asks for itself among it, comes after it.
    /** @type {() => void} */
    let over = () => undefined;
    const before = this.running;
    this.running = new Promise((done) => (over = () => done(undefined)));
    this.working += 1;
    if (this.working > 1) result = before.then(run);
    else
      try {
        result = Promise.resolve(run());
      } catch (error) {
        result = Promise.reject(error);
      }
    const ended = () => {
      this.working -= 1;
      over();
    };
    result.then(ended, ended);
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
    let bytes = 0;
    for (const { memory, files } of this.images.values()) bytes += memory.length + files.length;
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
    for (const [name, { memory, files }] of this.images) records.push({ kind: KIND.image, payload: imagePayload(name, memory, files) });
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
      // A whole base without its log would be taken for the newest: it must go before anything is
      // saved.
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

// The agent behind its C ABI, and the frames between a turn and its host. `c_abi.rs` and
// `steps/frame.rs` have both.
import { imports } from "./wasi.js";

const [CALLS, RESULTS] = [0x31484c43, 0x31524c43];
const [FRAME, HEAD] = [16, 16];
export const MAX_FRAME = 4 * 1024 * 1024;
const utf8 = new TextEncoder();
const text = new TextDecoder();

/**
 * @typedef {{ op: number, flags: number, call: number, head: any, body: Uint8Array }} Call flags: 1 may be repeated, 2 wants parts, 4 wants no result
 */
/**
 * @typedef {{ call: number, status?: number, more?: boolean, head?: any, body?: Uint8Array }} Result
 */
/**
 * @typedef {{ state: number, bytes: Uint8Array }} Progress state: 0 over, 1 waiting, or minus the number of an error
 */

/**
 * Records in a frame.
 * @param {number} magic
 * @param {number} task
 * @param {{ first: number, call: number, head: Uint8Array, body: Uint8Array }[]} records
 */
function write(magic, task, records) {
  const length = records.reduce((sum, { head, body }) => sum + HEAD + padded(head.length + body.length), FRAME);
  if (length > MAX_FRAME) throw new RangeError(`a frame of ${length} bytes, more than ${MAX_FRAME}`);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const put = (/** @type {number} */ at, /** @type {number[]} */ words) => words.forEach((word, i) => view.setUint32(at + i * 4, word, true));
  put(0, [magic, length, task, records.length]);
  let at = FRAME;
  for (const { first, call, head, body } of records) {
    put(at, [first, call, head.length, body.length]);
    bytes.set(head, at + HEAD);
    bytes.set(body, at + HEAD + head.length);
    at += HEAD + padded(head.length + body.length);
  }
  return bytes;
}

/** @param {number} magic @param {Uint8Array} bytes */
function read(magic, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wrong = (/** @type {number} */ at, /** @type {string} */ what) => new RangeError(`a frame: what stands at byte ${at} ${what}`);
  const word = (/** @type {number} */ at) => {
    if (at + 4 > bytes.length) throw wrong(at, "is not there");
    return view.getUint32(at, true);
  };
  if (word(0) !== magic) throw wrong(0, "is no magic number");
  if (word(4) !== bytes.length || bytes.length > MAX_FRAME) throw wrong(4, "is not the length of the frame, or more than 4 MiB");
  const [task, count] = [word(8), word(12)];
  const records = [];
  let at = FRAME;
  for (let i = 0; i < count; i += 1) {
    const [first, call, head, body] = [word(at), word(at + 4), word(at + 8), word(at + 12)];
    const from = at + HEAD;
    if (from + padded(head + body) > bytes.length) throw wrong(at, "is not a whole record");
    records.push({ first, call, head: bytes.slice(from, from + head), body: bytes.slice(from + head, from + head + body), at });
    at = from + padded(head + body);
  }
  if (at !== bytes.length) throw wrong(at, "is more than the records");
  return { task, records, wrong };
}

const padded = (/** @type {number} */ length) => Math.ceil(length / 4) * 4;

/** The JSON object of a head; none is an empty one. @param {Uint8Array} bytes */
function object(bytes) {
  const value = bytes.length ? JSON.parse(text.decode(bytes)) : {};
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new SyntaxError("no object");
  return value;
}

/** @param {number} magic @param {Uint8Array} bytes */
function heads(magic, bytes) {
  const { task, records, wrong } = read(magic, bytes);
  return {
    task,
    records: records.map(({ first, call, head, body, at }) => {
      try {
        return { low: first & 0xffff, flags: first >>> 16, call, head: object(head), body };
      } catch (error) {
        throw wrong(at + HEAD, `is no JSON object: ${error instanceof Error ? error.message : error}`);
      }
    }),
  };
}

const json = (/** @type {any} */ head) => (head === undefined ? new Uint8Array() : utf8.encode(JSON.stringify(head)));
const none = new Uint8Array();

/** The calls in a frame. @param {Uint8Array} bytes @returns {{ task: number, calls: Call[] }} */
export function readCalls(bytes) {
  const { task, records } = heads(CALLS, bytes);
  return { task, calls: records.map(({ low, ...rest }) => ({ op: low, ...rest })) };
}

/** @param {number} task @param {Call[]} calls */
export const writeCalls = (task, calls) =>
  write(CALLS, task, calls.map(({ op, flags, call, head, body }) => ({ first: (op | (flags << 16)) >>> 0, call, head: json(head), body })));

/** @param {number} task @param {Result[]} results */
export const writeResults = (task, results) =>
  write(RESULTS, task, results.map(({ call, status = 0, more = false, head, body = none }) => ({ first: ((status & 0xffff) | (more ? 0x10000 : 0)) >>> 0, call, head: json(head), body })));

/** @param {Uint8Array} bytes */
export function readResults(bytes) {
  const { task, records } = heads(RESULTS, bytes);
  return { task, results: records.map(({ low, flags, ...rest }) => ({ status: (low << 16) >> 16, more: (flags & 1) === 1, ...rest })) };
}

/** One instance of the reactor. */
export class Agent {
  /** @param {WebAssembly.Module} module @param {import("./tree.js").Tree} tree */
  constructor(module, tree) {
    /** @type {any} */
    this.exports = {};
    const instance = new WebAssembly.Instance(module, imports(tree, () => this.exports.memory));
    this.exports = instance.exports;
    // A pre-initialised file does not export it.
    this.exports._initialize?.();
    this.preinit = !this.exports._initialize;
  }

  get memory() {
    return new Uint8Array(this.exports.memory.buffer);
  }

  /** What the last call left: an answer or a frame, a copy. */
  last() {
    const { clawft_answer_ptr: at, clawft_answer_len: length } = this.exports;
    return this.memory.slice(at() >>> 0, (at() >>> 0) + (length() >>> 0));
  }

  /**
   * A call with texts or bytes for arguments.
   * @param {string} name
   * @param {number[]} numbers
   * @param {(string | Uint8Array)[]} texts
   * @returns {number}
   */
  call(name, numbers, ...texts) {
    const given = texts.map((one) => {
      const bytes = typeof one === "string" ? utf8.encode(one) : one;
      const at = this.exports.clawft_alloc(bytes.length) >>> 0;
      if (!at && bytes.length) throw new RangeError(`the agent has no memory for ${bytes.length} bytes`);
      this.memory.set(bytes, at);
      return [at, bytes.length];
    });
    const status = this.exports[name](...numbers, ...given.flat());
    for (const [at, length] of given) this.exports.clawft_free(at, length);
    return status;
  }

  /** @param {number} state @returns {Progress} */
  progress(state) {
    return { state, bytes: this.last() };
  }

  /** The text of a call's answer. @param {string} name @param {string[]} texts */
  ask(name, ...texts) {
    this.call(name, [], ...texts);
    return text.decode(this.last());
  }

  /**
   * Begins a turn: its task, from 1, or minus an error, whose answer is there.
   * @param {string} session
   * @param {string} message
   */
  start(session, message) {
    return this.call("clawft_start", [], session, message);
  }

  /** @param {number} task */
  poll(task) {
    return this.progress(this.exports.clawft_poll(task));
  }

  /** @param {number} task @param {Result[]} results */
  supply(task, results) {
    return this.progress(this.call("clawft_supply", [task], writeResults(task, results)));
  }

  /** @param {number} task */
  cancel(task) {
    return this.progress(this.exports.clawft_cancel(task));
  }
}

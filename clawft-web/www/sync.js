// A session on several devices: each leaves segments that nobody else can read, and takes those of
// the others. The server holds a name once; everything else is decided here, by `merge.js`.
import { begin, collect, everything, fits, merge } from "./merge.js";
import { KIND } from "./log.js";

const MAX_SEGMENT = 4 * 1024 * 1024;
const BATCH = 1024 * 1024;
// Segments that no base covers, from which on a base is written; and the letters of the largest one.
const BASE_AFTER = 64;
const MOST_OF_BASE = 8 * 1024 * 1024;
const RETRY = [1000, 2000, 5000, 10_000, 30_000];
const utf8 = new TextEncoder();
const text = new TextDecoder();

const hex = (/** @type {Uint8Array} */ bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const toText = (/** @type {Uint8Array} */ bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const toBytes = (/** @type {string} */ word) => Uint8Array.from(atob(word.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const number = (/** @type {number} */ seq) => seq.toString(16).padStart(16, "0");
/** @param {Uint8Array} bytes @param {any} by */
const through = async (bytes, by) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(by)).arrayBuffer());

/**
 * What follows from a key: where its segments are, the token for them, and what they are encrypted
 * with.
 * @param {Uint8Array} key
 */
export async function keysOf(key) {
  const space = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", key)).subarray(0, 16));
  const from = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits", "deriveKey"]);
  const of = (/** @type {string} */ info) => ({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8.encode(info) });
  const token = hex(new Uint8Array(await crypto.subtle.deriveBits(of("token"), from, 256)));
  const secret = await crypto.subtle.deriveKey(of("segments"), from, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return { space, token, secret };
}

/** @param {CryptoKey} secret @param {string} name @param {any} value */
export async function seal(secret, name, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const packed = await through(utf8.encode(JSON.stringify(value)), new CompressionStream("gzip"));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8.encode(name) }, secret, packed));
  const segment = new Uint8Array(12 + sealed.length);
  segment.set(iv);
  segment.set(sealed, 12);
  return segment;
}

/** @param {CryptoKey} secret @param {string} name @param {Uint8Array} segment */
export async function unseal(secret, name, segment) {
  let packed;
  try {
    packed = await crypto.subtle.decrypt({ name: "AES-GCM", iv: segment.subarray(0, 12), additionalData: utf8.encode(name) }, secret, segment.subarray(12));
  } catch {
    throw new Error(`${name} cannot be read: it has another key, another name, or is damaged`);
  }
  return JSON.parse(text.decode(await through(new Uint8Array(packed), new DecompressionStream("gzip"))));
}

/** Entries in segments that are not too large. @param {any[]} entries */
function batches(entries) {
  /** @type {any[][]} */
  const all = [];
  let size = Infinity;
  for (const entry of entries) {
    const bytes = JSON.stringify(entry).length;
    if (size + bytes > BATCH) {
      all.push([]);
      size = 0;
    }
    all.at(-1)?.push(entry);
    size += bytes;
  }
  return all;
}

export class Sync {
  /**
   * @param {any} here
   * @param {{ base?: string, post: (event: any) => void, save: () => Promise<unknown>, again: () => void, tree: () => import("./tree.js").Tree, busy: () => boolean, fetch?: typeof fetch, name?: () => string, now?: () => number, baseAfter?: () => number | undefined }} hooks
   */
  constructor(here, hooks) {
    this.here = here;
    this.hooks = hooks;
    this.base = hooks.base ?? new URL("../sync/v1/", here.base).href;
    this.fetch = hooks.fetch ?? ((...args) => fetch(...args));
    this.now = hooks.now ?? Date.now;
    this.name = hooks.name ?? (() => [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => "abcdefghijkmnpqrstuvwxyz23456789"[byte % 32]).join(""));
    this.kept = here.store?.sync;
    this.keys = /** @type {any} */ (undefined);
    this.error = "";
    this.last = 0;
    this.sent = 0;
    this.got = 0;
    this.cursor = "";
    // Whether this device's state is known to be no copy of an older one.
    this.checked = false;
    this.stopped = new AbortController();
    /** @type {Promise<unknown> | undefined} */
    this.merging = undefined;
    /** @type {Promise<unknown>} */
    this.running = Promise.resolve();
  }

  /** Goes on where it was on, when the session is opened. @param {any} here @param {any} hooks */
  static async of(here, hooks) {
    const sync = new Sync(here, hooks);
    if (sync.kept?.key) await sync.start();
    return sync;
  }

  async start() {
    this.keys = await keysOf(toBytes(this.kept.key));
    this.stopped = new AbortController();
    void this.watch(this.stopped.signal);
  }

  state() {
    return { link: this.kept?.key ? this.link() : "", device: this.kept?.state.device, pending: this.kept?.outbox.length ?? 0, sent: this.sent, got: this.got, last: this.last, error: this.error };
  }

  link() {
    const page = new URL("../", this.here.base ?? this.base);
    page.searchParams.set("example", this.here.example?.name ?? "");
    page.hash = `pair=${this.kept.key}`;
    return page.href;
  }

  /** What the panel asks for. @param {any} message */
  async ask({ on, pair, off, now }) {
    if (off) {
      this.stopped.abort();
      this.kept = undefined;
      this.here.store.note(KIND.sync, null);
      await this.hooks.save();
    }
    if (on || pair) {
      const key = pair ? (/pair=([\w-]+)/.exec(pair)?.[1] ?? pair.trim()) : toText(crypto.getRandomValues(new Uint8Array(32)));
      if (!/^[\w-]{43}$/.test(key)) throw new Error("that is no pairing link");
      this.stopped.abort();
      this.kept = { key, seq: 1, seen: {}, outbox: [], state: begin(this.name()) };
      this.checked = false;
      await this.keep();
      await this.start();
    }
    if (now || on || pair) await this.once();
    return this.state();
  }

  /** State and files in one save. */
  async keep() {
    this.here.store?.note(KIND.sync, this.kept);
    await this.hooks.save();
  }

  /** After a turn or a change by hand. */
  soon() {
    if (this.kept) void this.once().catch(() => undefined);
  }

  /** Collects, sends, takes; one at a time. */
  once() {
    this.running = this.running.catch(() => undefined).then(async () => {
      try {
        await this.gather();
        const { sent } = this;
        await this.push();
        const { heads } = await this.pull();
        if (this.sent > sent) await this.compact(heads);
        [this.error, this.last] = ["", Date.now()];
      } catch (error) {
        this.error = error instanceof Error ? error.message : String(error);
        throw error;
      } finally {
        this.hooks.post({ type: "sync", state: this.state() });
      }
    });
    return this.running;
  }

  /** What is new here waits in the log until it is sent. */
  async gather() {
    const { kept } = this;
    const entries = await collect(kept.state, this.hooks.tree(), this.now());
    if (!entries.length) return;
    for (const batch of batches(entries)) {
      kept.outbox.push({ seq: kept.seq, entries: batch });
      kept.seq += 1;
    }
    await this.keep();
  }

  /** @param {string} path @param {RequestInit} [how] */
  async request(path, how = {}) {
    const response = await this.fetch(`${this.base}${this.keys.space}/${path}`, { ...how, cache: "no-store", credentials: "omit", headers: { authorization: `Bearer ${this.keys.token}`, ...how.headers }, signal: how.signal ?? this.stopped.signal });
    if (response.status === 401 || response.status === 403) throw new Error("the server refuses this key");
    if (response.status >= 500) throw new Error(`the server answers ${response.status}`);
    return response;
  }

  /** What each device has left, and its last base. */
  async heads() {
    const answer = await this.request("heads");
    if (!answer.ok) throw new Error(`the server answers ${answer.status} to heads`);
    return { bases: {}, ...(await answer.json()) };
  }

  async push() {
    const { kept } = this;
    while (kept.outbox.length) {
      const { device } = kept.state;
      const [{ seq, ...value }] = kept.outbox;
      const name = `${device}/${number(seq)}`;
      // Who has an older state of this device may find that its segments are covered, and gone.
      const last = this.checked ? 0 : parseInt((await this.heads()).heads[device] ?? "0", 16);
      this.checked = true;
      const segment = await seal(this.keys.secret, `${this.keys.space}/${name}`, value);
      if (segment.length > MAX_SEGMENT) throw new Error(`${value.entries[0]?.path ?? "a turn"} is too large to be sent: ${segment.length} bytes of ${MAX_SEGMENT}`);
      const status = seq <= last ? 412 : (await this.create(name, segment)).status;
      if (status === 412) {
        // Ours, of which the answer was lost; or somebody else's, who has this device's state.
        const there = await this.segment(device, seq);
        if (JSON.stringify(there) !== JSON.stringify(value)) {
          await this.anew();
          continue;
        }
      } else if (status !== 201) throw new Error(`the server answers ${status} to a segment`);
      // Told when all of it is there. Where it cannot be, it is a base that nobody knows of.
      if (value.base?.covers) await this.create(`${name}.base`, utf8.encode(JSON.stringify({ covers: Object.fromEntries(Object.entries(value.base.covers).map(([of, last]) => [of, number(/** @type {number} */ (last))])) })));
      kept.outbox.shift();
      this.sent += 1;
      await this.keep();
    }
  }

  /** What is made once. @param {string} name @param {Uint8Array} body */
  create(name, body) {
    return this.request(name, { method: "PUT", body, headers: { "if-none-match": "*", "content-type": "application/octet-stream" } });
  }

  /**
   * Where many segments have come together: all there is once more, so that these may go.
   * @param {Record<string, string>} heads
   */
  async compact(heads) {
    const { kept } = this;
    const { device } = kept.state;
    const covered = kept.covered ?? {};
    const all = Object.entries({ ...heads, [device]: number(kept.seq - 1) }).map(([of, last]) => [of, parseInt(last, 16)]);
    if (all.some(([of, last]) => of !== device && (kept.seen[of] ?? 0) < last)) return;
    if (all.reduce((sum, [of, last]) => sum + Math.max(0, Number(last) - (covered[of] ?? 0)), 0) < (this.hooks.baseAfter?.() ?? BASE_AFTER)) return;
    await this.gather();
    const entries = this.hooks.busy() || kept.outbox.length ? undefined : everything(kept.state, this.hooks.tree());
    if (!entries || JSON.stringify(entries).length > MOST_OF_BASE) return;
    const from = kept.seq;
    const covers = { ...kept.seen, [device]: from - 1 };
    for (const batch of [...batches(entries), []]) {
      kept.outbox.push({ seq: kept.seq, entries: batch, base: batch.length ? {} : { from, covers } });
      kept.seq += 1;
    }
    this.covers({ device, seq: kept.seq - 1, covers });
    await this.keep();
    await this.push();
  }

  /** What a base covers is no longer counted. @param {{ device: string, seq: number, covers: Record<string, number> }} base */
  covers({ device, seq, covers }) {
    const all = (this.kept.covered ??= {});
    for (const [of, last] of Object.entries({ ...covers, [device]: seq })) all[of] = Math.max(all[of] ?? 0, last);
  }

  /**
   * Another device has this one's name: this one takes a new one, and what it was not able to send
   * is sent under that.
   */
  async anew() {
    const { kept } = this;
    const old = kept.state.device;
    const device = this.name();
    kept.seen[old] = kept.outbox[0].seq - 1;
    // A base is of what was known then; another one will be written.
    kept.outbox = kept.outbox.filter((/** @type {any} */ one) => !one.base);
    const renamed = JSON.parse(JSON.stringify([kept.state, kept.outbox]));
    [kept.state, kept.outbox] = renamed;
    kept.state.device = device;
    kept.outbox.forEach((/** @type {any} */ one, /** @type {number} */ i) => {
      one.seq = i + 1;
      for (const entry of one.entries) {
        entry.by = device;
        for (const hash of entry.hashes ?? []) kept.state.turns[hash].by = device;
        if (entry.version?.[old]) {
          entry.version = { ...entry.version, [device]: 1 };
          entry.version[old] -= 1;
          kept.state.files[entry.path] = [{ ...kept.state.files[entry.path][0], version: entry.version, by: device }];
        }
      }
    });
    kept.seq = kept.outbox.length + 1;
    await this.keep();
  }

  /** What is in a segment; none where it is gone. @param {string} device @param {number} seq */
  async segment(device, seq) {
    const name = `${device}/${number(seq)}`;
    const answer = await this.request(name);
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw new Error(`the server answers ${answer.status} to ${name}`);
    return unseal(this.keys.secret, `${this.keys.space}/${name}`, new Uint8Array(await answer.arrayBuffer()));
  }

  /** The bases that have not been come to here. @param {Record<string, string>} bases */
  async bases(bases) {
    /** @type {{ device: string, from: number, seq: number, covers: Record<string, number> }[]} */
    const all = [];
    for (const [device, last] of Object.entries(bases).sort()) {
      const seq = parseInt(last, 16);
      if (device === this.kept.state.device || (this.kept.seen[device] ?? 0) >= seq) continue;
      const base = (await this.segment(device, seq))?.base;
      if (base?.covers) all.push({ device, seq, ...base });
    }
    return all;
  }

  /** How many segments that a base covers have not been taken. @param {{ covers: Record<string, number> }} base */
  missing({ covers }) {
    const { seen, state } = this.kept;
    return Object.entries(covers).reduce((sum, [device, last]) => sum + (device === state.device ? 0 : Math.max(0, last - (seen[device] ?? 0))), 0);
  }

  async pull() {
    const { kept } = this;
    const { heads, bases, cursor } = await this.heads();
    const known = await this.bases(bases);
    for (const base of known) if (this.missing(base) > base.seq - base.from) await this.takeBase(base);
    let [progress, waits] = [true, ""];
    while (progress) {
      [progress, waits] = [false, ""];
      for (const [device, last] of Object.entries(heads).sort()) {
        if (device === kept.state.device) continue;
        for (let seq = (kept.seen[device] ?? 0) + 1; seq <= parseInt(String(last), 16); seq = kept.seen[device] + 1) {
          const base = known.find((one) => one.device === device && one.from === seq);
          if (base && !this.missing(base)) {
            this.covers(base);
            kept.seen[device] = base.seq;
            continue;
          }
          const there = await this.segment(device, seq);
          if (!there) {
            const instead = known.find((one) => (one.covers[device] ?? 0) >= seq);
            if (!instead) throw new Error(`${device}/${number(seq)} is gone, and is in no base`);
            await this.takeBase(instead);
            progress = true;
            continue;
          }
          if (!fits(kept.state, there.entries)) {
            waits = device;
            break;
          }
          await this.take(device, seq, there.entries);
          if (there.base?.covers) this.covers({ device, seq, ...there.base });
          progress = true;
        }
      }
    }
    this.cursor = waits ? "" : cursor;
    return { heads };
  }

  /** All of a base at a time. @param {{ device: string, from: number, seq: number, covers: Record<string, number> }} base */
  async takeBase(base) {
    const entries = [];
    for (let seq = base.from; seq < base.seq; seq += 1) {
      const there = await this.segment(base.device, seq);
      if (!there) throw new Error(`the base ${base.device}/${number(base.seq)} is not whole`);
      entries.push(...there.entries);
    }
    this.covers(base);
    await this.take(base.device, base.seq, entries, base.covers);
  }

  /** @param {string} device @param {number} seq @param {any[]} entries @param {Record<string, number>} [covers] */
  async take(device, seq, entries, covers = {}) {
    if (this.hooks.busy()) throw new Error("a turn is in flight");
    const { kept } = this;
    // Until this is over no turn begins and no file is written: see `worker.js`.
    /** @type {() => void} */
    let done = () => undefined;
    this.merging = new Promise((over) => (done = () => over(undefined)));
    try {
      // What has changed here meanwhile goes first: it is not to be taken for the other's.
      await this.gather();
      const notes = await merge(kept.state, this.hooks.tree(), entries);
      for (const [of, last] of Object.entries({ ...covers, [device]: seq })) if (of !== kept.state.device) kept.seen[of] = Math.max(kept.seen[of] ?? 0, last);
      this.got += 1;
      await this.keep();
      this.hooks.again();
      this.hooks.post({ type: "merged", notes });
    } finally {
      this.merging = undefined;
      done();
    }
  }

  /**
   * Until the session is closed: sends and takes, and waits for more.
   * @param {AbortSignal} signal
   */
  async watch(signal) {
    for (let failed = 0; !signal.aborted; ) {
      try {
        await this.once();
        failed = 0;
        const answer = await this.request(`wait?since=${this.cursor}`, { signal });
        await answer.arrayBuffer();
      } catch {
        if (signal.aborted) return;
        await new Promise((done) => {
          const timer = setTimeout(done, RETRY[Math.min(failed, RETRY.length - 1)]);
          const now = () => (clearTimeout(timer), done(undefined));
          signal.addEventListener("abort", now, { once: true });
          globalThis.addEventListener?.("online", now, { once: true });
        });
        failed += 1;
      }
    }
  }

  stop() {
    this.stopped.abort();
  }
}

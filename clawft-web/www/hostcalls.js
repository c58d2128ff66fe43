// What the agent may ask of the page: a registry of calls by number, each behind a grant of the
// example.

/** Minus the numbers of `clawft_types::ErrorCode`. */
export const STATUS = { invalid: -14, notFound: -16, noKey: -16, permission: -18, tooLarge: -19, io: -22, unavailable: -24, failed: -29, interrupted: -30, timedOut: -31, conflict: -34, cancelled: -35, denied: -36 };
export const PART = 256 * 1024;

/** @typedef {import("./steps.js").Call} Call */
/** @typedef {{ status?: number, more?: boolean, head?: any, body?: Uint8Array }} Reply */
/**
 * @typedef {{ grant: any, signal: AbortSignal, part: (reply: Reply) => void, progress: () => void, host: any, key: string }} Context
 */
/**
 * @typedef {{ op: number, name: string, grant: string, repeatable?: boolean | ((head: any) => boolean), limits?: { idle?: number, whole?: number }, run: (call: Call, context: Context) => Promise<Reply | undefined> }} Spec limits in milliseconds
 */

/** Why a call is not answered. */
export class HostError extends Error {
  /** @param {keyof typeof STATUS} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = STATUS[status];
  }
}

/** Modules of our own calls, loaded where an example has the call. */
const MODULES = /** @type {Record<string, string>} */ ({
  host_fetch: "./op-fetch.js",
  host_fs_write: "./op-fs.js",
  host_fs_read: "./op-fs.js",
  host_spawn: "./op-spawn.js",
  host_crypto: "./op-crypto.js",
  host_snapshot: "./op-snapshot.js",
  host_tool: "./op-tool.js",
});

export class Registry {
  /**
   * @param {Record<string, any>} grants
   * @param {any} [host] what the calls use of the worker
   * @param {(seen: { op: number, name: string, ms: number, sent: number, got: number, status: number }) => void} [seen]
   */
  constructor(grants, host = {}, seen = () => undefined) {
    this.grants = grants;
    this.host = host;
    this.seen = seen;
    /** @type {Map<number, Spec>} */
    this.calls = new Map();
  }

  /**
   * A registry with the calls of an example.
   * @param {{ hypercalls: string[], grants: any, hostcalls?: { op: number, name: string, path: string }[] }} example
   * @param {any} host
   * @param {any} seen
   */
  static async of(example, host, seen) {
    const registry = new Registry(example.grants, host, seen);
    for (const path of new Set(example.hypercalls.map((name) => MODULES[name]).filter(Boolean))) {
      for (const spec of (await import(path)).calls) if (example.hypercalls.includes(spec.name)) registry.register(spec);
    }
    for (const { path, op, name } of example.hostcalls ?? []) {
      if (op < 600) throw new RangeError(`${name}: calls of an example begin at 600, not ${op}`);
      registry.register({ ...(await import(`./${path}`)).default, op, name });
    }
    return registry;
  }

  /** @param {Spec} spec */
  register(spec) {
    if (!Number.isInteger(spec.op) || spec.op < 500 || spec.op > 0xffff) throw new RangeError(`${spec.name}: ${spec.op} is no number of a call`);
    if (this.calls.has(spec.op)) throw new RangeError(`${spec.op} is ${this.calls.get(spec.op)?.name} already`);
    this.calls.set(spec.op, spec);
  }

  /**
   * Whether a call may be sent again after a crash: nobody is harmed by a second one.
   * @param {Call} call
   */
  repeatable(call) {
    const { repeatable = false } = this.calls.get(call.op) ?? {};
    return typeof repeatable === "function" ? repeatable(call.head) : repeatable;
  }

  /**
   * Runs a call; `reply` gets its parts and its end, in order.
   * @param {Call} call
   * @param {(reply: Reply) => void} reply
   * @param {AbortSignal} signal
   * @param {string} [key]
   */
  async run(call, reply, signal, key = String(call.call)) {
    const start = performance.now();
    const spec = this.calls.get(call.op);
    let [got, over] = [0, false];
    /** @param {Reply} one */
    const part = (one) => {
      if (over) return;
      over = !one.more;
      got += one.body?.length ?? 0;
      if (over) this.seen({ op: call.op, name: spec?.name ?? "unknown", ms: performance.now() - start, sent: call.body.length, got, status: one.status ?? 0 });
      reply(one);
    };
    if (!spec) return part({ status: STATUS.unavailable });
    const grant = this.grants[spec.grant];
    if (!grant) return part({ status: STATUS.denied });
    const timer = new AbortController();
    const late = () => timer.abort(new HostError("timedOut", `${spec.name}: nothing came in time`));
    const asked = Number(call.head.timeout_ms) || Infinity;
    const idle = Math.min(spec.limits?.idle ?? 60_000, asked);
    let waiting = setTimeout(late, idle);
    const whole = setTimeout(late, spec.limits?.whole ?? 300_000);
    const progress = () => {
      clearTimeout(waiting);
      waiting = setTimeout(late, idle);
    };
    const both = AbortSignal.any([signal, timer.signal]);
    try {
      const context = { grant, signal: both, part, progress, host: this.host, key };
      const result = await Promise.race([spec.run(call, context), aborted(both)]);
      if (result) part({ head: {}, ...result, more: false });
    } catch (error) {
      const why = signal.aborted ? STATUS.cancelled : timer.signal.aborted ? STATUS.timedOut : error instanceof HostError ? error.status : STATUS.failed;
      part({ status: why, head: { message: error instanceof Error ? error.message : String(error) } });
    } finally {
      clearTimeout(waiting);
      clearTimeout(whole);
    }
  }
}

/** @param {AbortSignal} signal @returns {Promise<never>} */
const aborted = (signal) =>
  new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    signal.aborted ? end() : signal.addEventListener("abort", end, { once: true });
  });

/**
 * A body in parts of at most 256 KiB, the last one open.
 * @param {Uint8Array} bytes
 * @param {(reply: Reply) => void} part
 */
export function inParts(bytes, part) {
  for (let at = 0; at < bytes.length; at += PART) part({ more: true, body: bytes.subarray(at, at + PART) });
}

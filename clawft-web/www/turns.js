// Turns in flight in one instance: each step returns, what it asks of the host is answered whenever
// that is done.
import { readCalls } from "./steps.js";

const [SHOW, WAIT, ASK] = [507, 508, 509];
const UNSUPPORTED = -24;
const text = new TextDecoder();

/**
 * @typedef {import("./steps.js").Agent} Agent @typedef {import("./steps.js").Call} Call @typedef {import("./steps.js").Result} Result
 */
/**
 * @typedef {(call: Call, reply: (result: Omit<Result, "call">) => void, signal: AbortSignal, task: number) => void} Run
 */
/**
 * What is done for turns: `run` does calls, `ask` asks the user, `sent` is told of calls before they
 * go out, `answered` of results.
 * @typedef {object} Host
 * @property {Run} [run]
 * @property {(session: string, call: Call, decide: (approved: boolean) => void, signal: AbortSignal) => void} [ask]
 * @property {(task: number, session: string, calls: Call[]) => void | Promise<unknown>} [sent]
 * @property {(task: number, call: Call, result: Omit<Result, "call">) => void} [answered]
 */
/**
 * @typedef {{ session: string, end: AbortController, show: (text: string) => void, over: (answer: any) => void, failed: (error: unknown) => void }} Turn
 */

export class Turns {
  /**
   * @param {Agent} agent
   * @param {Host} host
   */
  constructor(agent, host = {}) {
    this.agent = agent;
    this.host = host;
    /** @type {Map<number, Turn>} */
    this.tasks = new Map();
    this.most = 0;
  }

  /**
   * Begins a turn.
   * @param {string} session
   * @param {string} message
   * @param {(text: string) => void} [show]
   * @returns {{ task: number, answer: Promise<any> }} task 0: it is over already
   */
  start(session, message, show = () => undefined) {
    const task = this.agent.start(session, message);
    if (task < 0) return { task: 0, answer: Promise.resolve(JSON.parse(text.decode(this.agent.last()))) };
    const answer = this.adopt(task, session, show);
    this.step(task, this.agent.poll(task));
    return { task, answer };
  }

  /**
   * Follows a task that the instance has already.
   * @param {number} task
   * @param {string} session
   * @param {(text: string) => void} [show]
   * @returns {Promise<any>}
   */
  adopt(task, session, show = () => undefined) {
    return new Promise((over, failed) => {
      this.tasks.set(task, { session, end: new AbortController(), show, over, failed });
      this.most = Math.max(this.most, this.tasks.size);
    });
  }

  /** @param {number} task */
  cancel(task) {
    const turn = this.tasks.get(task);
    if (!turn) return;
    turn.end.abort();
    this.step(task, this.agent.cancel(task));
  }

  /** The task in flight in a session. @param {string} session */
  of(session) {
    return [...this.tasks].find(([, turn]) => turn.session === session)?.[0];
  }

  /** @param {number} task @param {import("./steps.js").Progress} progress */
  step(task, { state, bytes }) {
    const turn = this.tasks.get(task);
    if (!turn) return;
    if (state === 2) queueMicrotask(() => this.guarded(task, () => this.step(task, this.agent.poll(task))));
    else if (state === 1) {
      const { calls } = readCalls(bytes);
      if (!calls.length) return;
      const asking = calls.filter(({ flags }) => !(flags & 4));
      const run = () => calls.forEach((call) => this.call(task, turn, call));
      const sent = asking.length ? this.host.sent?.(task, turn.session, asking) : undefined;
      sent ? sent.then(run, run) : run();
    } else {
      this.tasks.delete(task);
      turn.end.abort();
      turn.over(JSON.parse(text.decode(bytes)));
    }
  }

  /**
   * What goes wrong in the agent itself ends the turn.
   * @param {number} task
   * @param {() => void} run
   */
  guarded(task, run) {
    try {
      run();
    } catch (error) {
      const turn = this.tasks.get(task);
      this.tasks.delete(task);
      turn?.end.abort();
      turn?.failed(error);
    }
  }

  /** @param {number} task @param {Turn} turn @param {Call} call */
  call(task, turn, call) {
    const { signal } = turn.end;
    if (signal.aborted) return;
    /** @param {Omit<Result, "call">} result */
    const reply = (result) => {
      if (!this.tasks.has(task) || signal.aborted) return;
      if (!result.more) this.host.answered?.(task, call, result);
      this.guarded(task, () => this.step(task, this.agent.supply(task, [{ ...result, call: call.call }])));
    };
    if (call.op === SHOW) turn.show(text.decode(call.body));
    else if (call.op === ASK) {
      // Where nobody can be asked, nobody agrees.
      const decide = (/** @type {boolean} */ approved) => reply({ head: { approved } });
      this.host.ask ? this.host.ask(turn.session, call, decide, signal) : queueMicrotask(() => decide(false));
    }
    else if (call.op === WAIT) {
      const timer = setTimeout(() => reply({ head: { now_ms: Date.now() } }), call.head.for_ms);
      signal.addEventListener("abort", () => clearTimeout(timer));
    } else if (this.host.run) this.host.run(call, reply, signal, task);
    else queueMicrotask(() => reply({ status: UNSUPPORTED }));
  }
}

// One open session: the agent, its files, its log, its host calls. The page asks in messages
// `{ id, do, … }`, each is answered by `{ id, value }` or `{ id, error }`; what happens by itself
// is an `{ event }`. What an example does not use is not loaded.
import { Agent } from "./steps.js";
import { Tree } from "./tree.js";
import { Turns } from "./turns.js";

const began = performance.now();
/** @type {any} */
const here = { tree: new Tree(), agent: undefined, turns: undefined, fresh: undefined, example: undefined, session: "", base: "", images: new Map(), boot: {}, calls: [], growths: 0, kind: "none" };

const mark = (/** @type {string} */ phase) => (here.boot[phase] = performance.now() - began);
const post = (/** @type {any} */ event) => {
  self.postMessage({ event });
  if (here.tab?.owner) here.tab.tell({ type: "view", event });
};

// Trusted Types: the one policy there is, for the address of our own worker.
/** @type {any} */
const types = /** @type {any} */ (self).trustedTypes;
const policy = types?.createPolicy("clawft", { createScriptURL: (/** @type {string} */ url) => url });
here.worker = () => {
  const url = new URL("./worker.js", import.meta.url).href;
  return new Worker(policy ? policy.createScriptURL(url) : url, { type: "module" });
};

/** The conversation as the agent's own file has it. @param {string} name */
function history(name) {
  const file = `.clawft/sessions/${name.replace(/[A-Z]/g, (letter) => `+${letter.toLowerCase()}`)}.json`;
  if (!here.tree.find(file)) return [];
  return new TextDecoder().decode(here.tree.read(file)).split("\n").flatMap((line) => {
    try {
      return JSON.parse(line).messages ?? [];
    } catch {
      return [];
    }
  });
}

/** Names of the conversations. */
const conversations = () =>
  [...(here.tree.find(".clawft/sessions")?.names?.keys() ?? [])].filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5).replace(/\+(.)/g, (/** @type {string} */ _, /** @type {string} */ letter) => letter.toUpperCase()));

const listed = () => [...here.tree.walk()].map(({ path, node }) => ({ path, bytes: node.size, time: node.time, folder: node.names !== undefined }));

const view = () => ({ type: "view", history: history("main"), conversations: conversations(), files: listed() });

/** Paths that have changed in this turn. @type {Set<string>} */
let changed = new Set();
const note = () => [...here.tree.dirty.keys()].forEach((path) => path.startsWith(".clawft") || changed.add(path));

/** Saves what has changed; what goes wrong is in the status line. */
async function save() {
  if (!here.store?.log) return false;
  note();
  try {
    const written = await here.store.save();
    if (written && here.kind !== "memory") post({ type: "saved", time: Date.now(), bytes: here.store.saves.at(-1).bytes });
    return written;
  } catch (error) {
    post({ type: "paused", why: here.store.paused || String(error) });
    return false;
  }
}

// What becomes of the session's log when another tab takes it.
async function taken() {
  clearInterval(here.timer);
  here.sync?.stop();
  for (const task of [...(here.turns?.tasks.keys() ?? [])]) here.turns.cancel(task);
  const { store } = here;
  here.store = undefined;
  await store?.close().catch((/** @type {unknown} */ error) => post({ type: "paused", why: String(error) }));
  post({ type: "taken" });
}

async function storage() {
  // All that is needed, asked for at once.
  const [{ choose }, { Tab }] = await Promise.all([import("./backends.js"), import("./tabs.js"), import("./store.js")]);
  here.backend ??= await choose();
  here.kind = here.backend.kind;
  here.tab ??= new Tab(here.session, { taken, look: view, seen: (event) => self.postMessage({ event }) });
}

/** The log of the session, if this tab owns it. @param {"free" | "take" | "steal"} how */
async function restore(how) {
  const { Store } = await import("./store.js");
  const owned = here.tab.owner || (how === "free" ? await here.tab.free() : how === "take" ? await here.tab.take() : await here.tab.steal());
  if (!owned) {
    here.tab.tell({ type: "look" });
    return false;
  }
  here.tree = new Tree();
  try {
    here.store = await Store.open(await here.backend.files(here.session), here.tree);
  } catch (error) {
    here.tab.owner = false;
    here.tab.release?.();
    throw error;
  }
  return true;
}

/** The files that an example begins with, where the session is new. */
async function begin() {
  const { files } = here.example;
  if (files && ![...here.tree.walk()].length) {
    const { extract } = await import("./tar.js");
    const archive = await fetch(new URL(files.path, here.base));
    if (!archive.ok) throw new Error(`${files.path}: ${archive.status}`);
    extract(here.tree, new Uint8Array(await archive.arrayBuffer()));
    here.store ? await save() : here.tree.dirty.clear();
    changed = new Set();
  }
}

async function compile() {
  if (here.module) return here.module;
  const response = fetch(new URL(here.example.module.path, here.base));
  return WebAssembly.compileStreaming(response).then((module) => {
    here.module = module;
    mark("compiled");
    return module;
  });
}

/**
 * What the user is asked, by the number of the call, until it is decided.
 * @type {Map<number, (approved: boolean) => void>}
 */
const questions = new Map();
/** @type {import("./turns.js").Host["ask"]} */
const asks = (session, { call, head }, decide, signal) => {
  questions.set(call, decide);
  signal.addEventListener("abort", () => {
    questions.delete(call);
    post({ type: "decided", call });
  });
  // A worker that another worker has made has nobody to ask.
  here.secrets ? decide(false) : post({ type: "ask", session, call, name: head.name, arguments: head.arguments });
};

/**
 * What is needed where something is to outlive the page.
 * @type {typeof import("./crash.js") | undefined}
 */
let loaded;
const crash = async () => (loaded ??= await import("./crash.js"));

/** An instance of its own, as it is after init. */
function instance() {
  here.agent = new Agent(here.module, here.tree);
  here.fresh = here.agent.memory.slice();
  if (!here.agent.preinit || !here.example.optimizations.preinit) {
    const answer = JSON.parse(here.agent.ask("clawft_init", JSON.stringify(here.example.config)));
    if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  }
  here.turns = new Turns(here.agent, {
    run: here.registry && ((call, reply, signal) => here.registry.run(call, reply, signal)),
    ask: asks,
    sent: here.store && (async (task, session, calls) => (await crash()).sent(here, task, session, calls)),
    answered: (_task, call, result) => here.store && loaded?.answered(here, call, result),
  });
}

/** What is done at the end of every turn. @param {string} session @param {any} answer */
async function over(session, answer) {
  note();
  if (!here.store) here.tree.dirty.clear();
  const paths = [...changed].filter((path) => here.tree.find(path));
  changed = new Set();
  if (here.store) {
    await (await crash()).over(here, session);
  }
  const pages = here.agent.memory.length;
  if (here.memory && pages > here.memory) here.growths += 1;
  here.memory = pages;
  await save();
  post({ type: "answer", session, answer, changed: paths, conversations: conversations() });
  here.sync?.soon();
}

Object.assign(here, { post, save, instance, over });
here.saveImage = async (/** @type {string} */ name, /** @type {number} */ call) => (await crash()).saveImage(here, name, call);
here.dropImage = async (/** @type {string} */ name) => (await crash()).dropImage(here, name);
here.restoreImage = async (/** @type {string} */ name) => (await crash()).restoreImage(here, name);
here.plain = () => (here.agent.preinit ? undefined : here.module);

const percentile = (/** @type {number[]} */ sorted, /** @type {number} */ part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

/** @type {Record<string, (message: any) => any>} */
const ask = {
  async open({ example, base, session, module, device, secrets, how = "free" }) {
    Object.assign(here, { example, base, session, device, secrets, module: module ?? here.module, message: {} });
    const compiled = compile();
    compiled.catch(() => undefined);
    mark("asked");
    let owner = true;
    if (example.optimizations.persistence) {
      await storage();
      owner = await restore(how);
      if (owner) {
        await begin();
        mark("restored");
        self.postMessage({ event: { ...view(), type: "restored" } });
      }
    } else await begin();
    if (!owner) return { owner, kind: here.kind };
    if (example.hypercalls.length || example.hostcalls?.length) {
      if (example.hypercalls.includes("host_fetch")) {
        const { Vault } = await import("./vault.js");
        here.vault = new Vault();
        for (const { name, origin, secret } of secrets ?? []) await here.vault.set(name, origin, secret, undefined);
        if (!secrets) await here.vault.load().catch(() => undefined);
      }
      const { Registry } = await import("./hostcalls.js");
      here.registry = await Registry.of(example, here, (/** @type {any} */ seen) => {
        here.calls.push(seen);
        if (here.calls.length > 200) here.calls.shift();
        post({ type: "call", seen });
      });
    }
    await compiled;
    instance();
    mark("instance");
    if (here.store?.calls.size) await (await crash()).resume(here);
    here.memory = here.agent.memory.length;
    if (here.store && example.optimizations.autoSaveInterval) here.timer = setInterval(save, example.optimizations.autoSaveInterval);
    if (example.optimizations.sync && here.store) {
      const { Sync } = await import("./sync.js");
      here.sync = await Sync.of(here, { post, save, tree: () => here.tree, busy: () => here.turns.tasks.size > 0, again: () => {
        instance();
        post(view());
      } });
    }
    mark("ready");
    return { owner, kind: here.kind, boot: here.boot, damaged: here.store?.damaged ?? false, capabilities: JSON.parse(here.agent.ask("clawft_capabilities")), keys: here.vault?.list() };
  },
  async say({ text, session = "main" }) {
    post({ type: "said", session, text });
    const { tasks } = here.example.optimizations;
    if (here.turns.tasks.size >= tasks) {
      const answer = { ok: false, error: { code: "busy", message: `${tasks} of ${tasks} turns are in flight` } };
      post({ type: "answer", session, answer, changed: [], conversations: conversations() });
      return answer;
    }
    here.message[session] = text;
    const { answer } = here.turns.start(session, text, (/** @type {string} */ delta) => post({ type: "delta", session, text: delta }));
    const value = await answer;
    await over(session, value);
    return value;
  },
  cancel({ session = "main" }) {
    const task = here.turns.of(session);
    if (task) here.turns.cancel(task);
    return task !== undefined;
  },
  decide({ call, approved }) {
    questions.get(call)?.(approved);
    questions.delete(call);
    post({ type: "decided", call });
  },
  history: ({ session = "main" }) => ({ history: history(session), conversations: conversations() }),
  files: () => listed(),
  read: ({ path }) => here.tree.read(path),
  async write({ path, bytes }) {
    here.tree.write(path, bytes);
    await save();
  },
  async remove({ path }) {
    here.tree.remove(path);
    await save();
  },
  save,
  // A host call by the page's own hand: what a self-test does.
  call: ({ op, head = {}, body = new Uint8Array(), flags = 0 }) =>
    new Promise((resolve) => {
      /** @type {any[]} */
      const parts = [];
      here.ends ??= new Map();
      const end = new AbortController();
      here.ends.set(head.cancel, end);
      const call = { op, flags, call: 0, head, body };
      const reply = (/** @type {any} */ one) => {
        parts.push({ ...one, status: one.status ?? 0, body: one.body?.slice() });
        if (!one.more) resolve(parts);
      };
      // One that goes on in an image has no answer here.
      here.registry ? void here.registry.run(call, reply, end.signal).then(() => resolve(parts)) : reply({ status: -24 });
    }),
  abort: ({ name }) => here.ends?.get(name)?.abort(),
  key: ({ name, origin, secret, remember }) => (secret ? here.vault.set(name, origin, secret, remember) : here.vault.forget(name)).then(() => here.vault.list()),
  async stats() {
    const saves = here.store?.saves ?? [];
    const times = saves.map((/** @type {any} */ one) => one.ms).sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
    const estimate = here.example.optimizations.persistence ? await navigator.storage?.estimate?.().catch(() => undefined) : undefined;
    return {
      boot: here.boot, began, memory: here.agent?.memory.length, growths: here.growths, kind: here.kind, tasks: here.turns?.most ?? 0, calls: here.calls, image: here.imageBytes,
      saves: { count: saves.length, bytes: saves.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.bytes, 0), p50: percentile(times, 0.5), p95: percentile(times, 0.95) },
      log: here.store && { generation: here.store.generation, bytes: here.store.end, epoch: here.store.epoch },
      storage: estimate && { used: estimate.usage, quota: estimate.quota },
      resources: performance.getEntriesByType("resource").map((one) => ({ name: one.name, bytes: /** @type {PerformanceResourceTiming} */ (one).transferSize, size: /** @type {PerformanceResourceTiming} */ (one).encodedBodySize })),
      sync: here.sync?.state(),
    };
  },
  async letGo() {
    await here.tab?.letGo();
    return true;
  },
  // Sessions that are not open, in a module of their own.
  ...Object.fromEntries(["sessions", "dropSession", "export", "import", "rename"].map((name) => [name, async (/** @type {any} */ message) => {
    if (here.example.optimizations.persistence) await storage();
    return (await import("./sessions.js"))[/** @type {"rename"} */ (name)](here, message);
  }])),
  sync: (message) => {
    if (!here.sync) throw new Error("this example has no sync");
    return here.sync.ask(message);
  },
};

// Calls are heard in order; a turn does not hold the next one up.
/** @type {Promise<unknown>} */
let opening = Promise.resolve();
self.onmessage = async ({ data }) => {
  const { id, do: what, ...message } = data;
  try {
    if (what === "open") opening = ask.open(message);
    // While what comes from another device is merged, nothing else changes.
    while (what !== "open" && here.sync?.merging) await here.sync.merging;
    const value = what === "open" ? await opening : await opening.catch(() => undefined).then(() => ask[what](message));
    self.postMessage({ id, value });
  } catch (error) {
    self.postMessage({ id, error: error instanceof Error ? error.message : String(error), trap: error instanceof WebAssembly.RuntimeError, number: /** @type {any} */ (error)?.number });
  }
};

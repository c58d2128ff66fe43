// One open session: the agent, its files, its log, its host calls. The page asks in messages `{ id, do, … }`, each is answered by
// `{ id, value }` or `{ id, error }`; what happens by itself is an `{ event }`. What an example does not use is not loaded.
import { Agent } from "./steps.js";
import { Tree } from "./tree.js";
import { Turns } from "./turns.js";

const began = performance.now();
/** @type {any} */
const here = { example: undefined, session: "", base: "", images: new Map(), boot: {}, calls: [], growths: 0, kind: "none" };
/** @type {Tree} */
let tree = new Tree();
/** @type {Agent} */
let agent;
/** @type {Turns} */
let turns;
/** @type {Uint8Array} */
let fresh;

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
  if (!tree.find(file)) return [];
  return new TextDecoder().decode(tree.read(file)).split("\n").flatMap((line) => {
    try {
      return JSON.parse(line).messages ?? [];
    } catch {
      return [];
    }
  });
}

/** Names of the conversations. */
const conversations = () =>
  [...(tree.find(".clawft/sessions")?.names?.keys() ?? [])].filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5).replace(/\+(.)/g, (_, letter) => letter.toUpperCase()));

const listed = () => [...tree.walk()].map(({ path, node }) => ({ path, bytes: node.size, time: node.time, folder: node.names !== undefined }));

const view = () => ({ type: "view", history: history("main"), conversations: conversations(), files: listed() });

/** Paths that have changed in this turn. @type {Set<string>} */
let changed = new Set();
const note = () => [...tree.dirty.keys()].forEach((path) => path.startsWith(".clawft") || changed.add(path));

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
  for (const task of [...(turns?.tasks.keys() ?? [])]) turns.cancel(task);
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
  tree = new Tree();
  try {
    here.store = await Store.open(await here.backend.files(here.session), tree);
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
  if (files && ![...tree.walk()].length) {
    const { unpack } = await import("./tar.js");
    const archive = await fetch(new URL(files.path, here.base));
    if (!archive.ok) throw new Error(`${files.path}: ${archive.status}`);
    for (const { path, bytes } of unpack(new Uint8Array(await archive.arrayBuffer()))) bytes ? tree.write(path, bytes) : tree.mkdir(path);
    here.store ? await save() : tree.dirty.clear();
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

/** An instance of its own, as it is after init. */
function instance() {
  agent = new Agent(here.module, tree);
  fresh = agent.memory.slice();
  if (!agent.preinit || !here.example.optimizations.preinit) {
    const answer = JSON.parse(agent.ask("clawft_init", JSON.stringify(here.example.config)));
    if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  }
  turns = new Turns(agent, { run: here.registry && ((call, reply, signal) => here.registry.run(call, reply, signal)), sent, answered });
}

/** At every sent call: what must outlive the page is saved before anything goes out. @param {number} task @param {string} session @param {any[]} calls */
async function sent(task, session, calls) {
  if (!here.store) return;
  const { KIND } = await import("./store.js");
  for (const { op, flags, call, head, body } of calls) {
    const repeatable = (flags & 1) === 1 || here.registry?.repeatable({ op, head }) === true;
    here.store.note(KIND.sent, { call, task, session, op, flags, head, repeatable, message: here.message?.[session], ...(repeatable && body.length && { body: [...body] }) });
  }
  if (here.example.optimizations.snapshot) await automatic(KIND);
  await save();
}

/** The image that a turn goes on from after a crash. @param {any} KIND */
async function automatic(KIND) {
  const { take, pack } = await import("./image.js");
  const raw = take(agent, fresh, { sha256: here.example.module.sha256 });
  const packed = await pack(raw);
  here.store?.note(KIND.image, packed);
  here.imageBytes = packed.length;
}

/** @param {number} _task @param {any} call @param {any} result */
function answered(_task, call, result) {
  if (!here.store?.calls.has(call.call)) return;
  here.store.note(6, { call: call.call, status: result.status ?? 0, bytes: result.body?.length ?? 0 });
}

/** Calls that were open when the page went away: sent again, or the turn is told. */
async function resume() {
  const open = [...(here.store?.calls.values() ?? [])];
  if (!open.length) return;
  const done = (/** @type {any} */ call, /** @type {any} */ message) => post({ type: "interrupted", session: call.session, op: call.op, message });
  let image;
  try {
    const { unpack, put } = await import("./image.js");
    image = here.store.image?.length ? await unpack(here.store.image) : undefined;
    if (image) put(agent, fresh, image, here.example.module.sha256);
  } catch (error) {
    image = undefined;
    instance();
    post({ type: "note", text: String(error) });
  }
  for (const call of open) {
    if (!image) {
      here.store.note(6, { call: call.call, status: -30 });
      done(call, call.message);
      continue;
    }
    const answer = turns.adopt(call.task, call.session, (text) => post({ type: "delta", session: call.session, text }));
    const turn = turns.tasks.get(call.task);
    if (call.repeatable && turn) turns.call(call.task, turn, { ...call, body: Uint8Array.from(call.body ?? []) });
    else {
      answered(call.task, call, { status: -30 });
      done(call, call.message);
      queueMicrotask(() => turns.cancel(call.task));
    }
    answer.then((value) => over(call.session, value)).catch((error) => post({ type: "trap", why: String(error) }));
  }
}

/** What is done at the end of every turn. @param {string} session @param {any} answer */
async function over(session, answer) {
  note();
  if (!here.store) tree.dirty.clear();
  const paths = [...changed].filter((path) => tree.find(path));
  changed = new Set();
  if (here.store) {
    const { KIND } = await import("./store.js");
    here.store.note(KIND.turn, { session, time: Date.now(), device: here.device });
    if (here.store.image) turns.tasks.size ? await automatic(KIND) : here.store.note(KIND.image, new Uint8Array());
  }
  const pages = agent.memory.length;
  if (here.memory && pages > here.memory) here.growths += 1;
  here.memory = pages;
  await save();
  post({ type: "answer", session, answer, changed: paths, conversations: conversations() });
  here.sync?.soon();
}

Object.assign(here, {
  plain: () => (agent.preinit ? undefined : here.module),
  async saveImage(/** @type {string} */ name, /** @type {number} */ call) {
    const [{ take, pack }, tar] = await Promise.all([import("./image.js"), import("./tar.js")]);
    const tasks = [...turns.tasks].map(([task, { session }]) => ({ task, session }));
    const raw = take(agent, fresh, { sha256: here.example.module.sha256, call, tasks });
    const files = tar.pack([...tree.walk()].map(({ path, node }) => ({ path, time: node.time, bytes: node.names ? undefined : tree.read(path) })));
    const image = { memory: await pack(raw), files: await pack(files) };
    here.images.set(name, image);
    return image.memory.length;
  },
  async dropImage(/** @type {string} */ name) {
    here.images.delete(name);
  },
  async restoreImage(/** @type {string} */ name) {
    const [{ unpack, put }, tar] = await Promise.all([import("./image.js"), import("./tar.js")]);
    const { memory, files } = here.images.get(name);
    const image = await unpack(memory);
    const archive = new Uint8Array(await new Response(new Blob([files]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
    const waiting = new Map([...turns.tasks].map(([, turn]) => [turn.session, turn]));
    for (const { path } of [...tree.walk()]) if (tree.find(path)) tree.remove(path);
    for (const { path, bytes } of tar.unpack(archive)) bytes ? tree.write(path, bytes) : tree.mkdir(path);
    instance();
    put(agent, fresh, image, here.example.module.sha256);
    // Who waits for an answer gets that of the image's turn.
    for (const { task, session } of image.head.tasks) {
      const old = waiting.get(session);
      turns.tasks.set(task, { session, end: new AbortController(), show: old?.show ?? (() => undefined), over: old?.over ?? (() => undefined), failed: old?.failed ?? (() => undefined) });
      turns.step(task, agent.supply(task, [{ call: image.head.call, head: { bytes: memory.length, restored: true } }]));
    }
  },
});

const percentile = (/** @type {number[]} */ sorted, /** @type {number} */ part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

/** @type {Record<string, (message: any) => any>} */
const ask = {
  async open({ example, base, session, module, device, secrets, how = "free" }) {
    Object.assign(here, { example, base, session, device, module: module ?? here.module, message: {} });
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
    await resume();
    here.memory = agent.memory.length;
    if (here.store && example.optimizations.autoSaveInterval) here.timer = setInterval(save, example.optimizations.autoSaveInterval);
    if (example.optimizations.sync && here.store) {
      const { Sync } = await import("./sync.js");
      here.sync = await Sync.of(here, { post, save, tree: () => tree, busy: () => turns.tasks.size > 0, again: () => {
        instance();
        post(view());
      } });
    }
    mark("ready");
    return { owner, kind: here.kind, boot: here.boot, damaged: here.store?.damaged ?? false, capabilities: JSON.parse(agent.ask("clawft_capabilities")), keys: here.vault?.list() };
  },
  async say({ text, session = "main" }) {
    post({ type: "said", session, text });
    here.message[session] = text;
    const { answer } = turns.start(session, text, (delta) => post({ type: "delta", session, text: delta }));
    const value = await answer;
    await over(session, value);
    return value;
  },
  cancel({ session = "main" }) {
    const task = turns.of(session);
    if (task) turns.cancel(task);
    return task !== undefined;
  },
  history: ({ session = "main" }) => ({ history: history(session), conversations: conversations() }),
  files: () => listed(),
  read: ({ path }) => tree.read(path),
  async write({ path, bytes }) {
    tree.write(path, bytes);
    await save();
  },
  async remove({ path }) {
    tree.remove(path);
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
      here.registry ? void here.registry.run(call, reply, end.signal) : reply({ status: -24 });
    }),
  abort: ({ name }) => here.ends?.get(name)?.abort(),
  key: ({ name, origin, secret, remember }) => (secret ? here.vault.set(name, origin, secret, remember) : here.vault.forget(name)).then(() => here.vault.list()),
  async stats() {
    const saves = here.store?.saves ?? [];
    const times = saves.map((/** @type {any} */ one) => one.ms).sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
    const estimate = here.example.optimizations.persistence ? await navigator.storage?.estimate?.().catch(() => undefined) : undefined;
    return {
      boot: here.boot, memory: agent?.memory.length, growths: here.growths, kind: here.kind, tasks: turns?.most ?? 0, calls: here.calls, image: here.imageBytes,
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
  async sessions() {
    await storage();
    return here.backend.sessions();
  },
  async dropSession({ name }) {
    if (name === here.session) throw new Error("the session is open here");
    await exclusively(name, () => here.backend.remove(name));
  },
  async export({ name = here.session }) {
    const { pack } = await import("./tar.js");
    const entries = (/** @type {Tree} */ from) => pack([...from.walk()].map(({ path, node }) => ({ path, time: node.time, bytes: node.names ? undefined : from.read(path) })));
    if (name === here.session) return entries(tree);
    return exclusively(name, () => opened(name, async (store) => entries(store.tree)));
  },
  async import({ name, archive }) {
    const { unpack } = await import("./tar.js");
    const entries = unpack(archive);
    await storage();
    if ((await here.backend.sessions()).some((/** @type {any} */ one) => one.name === name)) throw new Error(`there is a session ${name} already`);
    await exclusively(name, () =>
      opened(name, async (store) => {
        for (const { path, bytes } of entries) bytes ? store.tree.write(path, bytes) : store.tree.mkdir(path);
        await store.save();
      }));
    return entries.length;
  },
  async rename({ name, to, keep = false }) {
    const archive = await ask.export({ name });
    await ask.import({ name: to, archive });
    if (!keep && name !== here.session) await ask.dropSession({ name });
  },
  sync: (message) => {
    if (!here.sync) throw new Error("this example has no sync");
    return here.sync.ask(message);
  },
};

/** @param {string} name @param {() => Promise<any>} run */
async function exclusively(name, run) {
  await storage();
  return navigator.locks.request(`clawft:${name}`, { ifAvailable: true }, (lock) => {
    if (!lock) throw new Error(`the session ${name} is open in another tab`);
    return run();
  });
}

/** @param {string} name @param {(store: import("./store.js").Store) => Promise<any>} run */
async function opened(name, run) {
  const { Store } = await import("./store.js");
  const store = await Store.open(await here.backend.files(name));
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}

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

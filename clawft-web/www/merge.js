// What a session's devices tell each other, and how it is merged: alike on every device, in
// whatever order it comes.
//
// Turns are a tree of hashes. Which path of it has which name depends on the tree alone: where two
// go on from the same place, the one whose first turn is earlier keeps the name, the other becomes
// a conversation of its own, NAME.DEVICE. Files have a version per device; of concurrent ones the
// later keeps the name, the other one is beside it, NAME.conflict-DEVICE, with the number of that
// device's version where it is not the first. Memory is by key, the later wins. Later is a hybrid
// logical clock, then the device.
import { crc32 } from "./log.js";

const SESSIONS = ".clawft/sessions";
const MEMORY = ".clawft/memory.json";
// Letters of turns in an entry.
const PART = 256 * 1024;
const text = new TextDecoder();
const utf8 = new TextEncoder();

/** @typedef {import("./tree.js").Tree} Tree */
/**
 * @typedef {{ after: string, time: number, by: string, root?: string }} Turn what it goes on from, when and where it was made; of a first one, the conversation
 */
/**
 * @typedef {{ version: Record<string, number>, time: number, by: string, crc: number, size: number, bytes?: string }} Version of a file; size -1: removed; with its bytes, where it is not the one that is shown
 */
/**
 * @typedef {{ device: string, clock: number, turns: Record<string, Turn>, sessions: Record<string, string[]>, files: Record<string, Version[]>, memory: Record<string, { time: number, by: string, value: string | null }> }} State
 */

/** @param {string} device @returns {State} */
export const begin = (device) => ({ device, clock: 0, turns: {}, sessions: {}, files: {}, memory: {} });

/** @param {string} before @param {string} line */
async function link(before, line) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(`${before}\n${line}`)));
  return [...digest.subarray(0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const fileOf = (/** @type {string} */ name) => `${SESSIONS}/${name.replace(/[A-Z]/g, (letter) => `+${letter.toLowerCase()}`)}.json`;
const nameOf = (/** @type {string} */ file) => file.slice(0, -5).replace(/\+(.)/g, (_, letter) => letter.toUpperCase());
// The one name that an object cannot have as a plain member.
const plain = (/** @type {string} */ name) => name !== "__proto__";
const later = (/** @type {[number, string]} */ a, /** @type {[number, string]} */ b) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
const base64 = (/** @type {Uint8Array} */ bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const bytesOf = (/** @type {string} */ encoded) => Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));

/**
 * A conversation's file: its head, and the line of each turn by its number.
 * @param {Tree} tree
 * @param {string} name
 */
function lines(tree, name) {
  const node = tree.find(fileOf(name));
  const [head = "", ...rest] = node ? text.decode(tree.read(fileOf(name))).split("\n") : [];
  /** @type {Map<number, string>} */
  const turns = new Map();
  for (const line of rest) {
    try {
      turns.set(JSON.parse(line).turn, line);
    } catch {
      // A last line that does not end is of a turn that nobody was told of.
    }
  }
  return { head, turns };
}

/**
 * @param {Tree} tree
 * @param {string} name
 * @param {string} head
 * @param {[number, string][]} turns
 */
function put(tree, name, head, turns) {
  const first = JSON.stringify({ ...JSON.parse(head || '{"version":2,"dropped":0}'), name });
  tree.write(fileOf(name), utf8.encode([first, ...turns.map(([, line]) => line), ""].join("\n")));
}

/** @param {Tree} tree @returns {Record<string, string>} */
function memoryOf(tree) {
  try {
    return JSON.parse(text.decode(tree.read(MEMORY)));
  } catch {
    return {};
  }
}

/**
 * What has happened in the tree since the last time, as entries for other devices.
 * @param {State} state
 * @param {Tree} tree
 * @param {number} now
 */
export async function collect(state, tree, now) {
  /** @type {any[]} */
  const entries = [];
  const tick = () => (state.clock = Math.max(now, state.clock + 1));
  const { device } = state;
  for (const file of [...(tree.find(SESSIONS)?.names?.keys() ?? [])].filter((one) => one.endsWith(".json")).sort()) {
    const session = nameOf(file);
    const { head, turns } = lines(tree, session);
    const hashes = (state.sessions[session] ??= []);
    const after = hashes.at(-1) ?? "";
    /** @type {[string, number][]} */
    const added = [];
    const from = hashes.length;
    for (let turn = from + 1; turns.has(turn); turn += 1) {
      const line = /** @type {string} */ (turns.get(turn));
      const [time, before] = [tick(), hashes.at(-1) ?? ""];
      const hash = await link(before, line);
      state.turns[hash] = { after: before, time, by: device, ...(!before && { root: session }) };
      hashes.push(hash);
      added.push([line, time]);
    }
    if (added.length) entries.push({ kind: "turns", session, head, after, by: device, lines: added, hashes: hashes.slice(from) });
  }
  const memory = memoryOf(tree);
  for (const key of [...new Set([...Object.keys(memory), ...Object.keys(state.memory)])].filter(plain)) {
    const value = Object.hasOwn(memory, key) ? memory[key] : null;
    if (value === (state.memory[key]?.value ?? null)) continue;
    state.memory[key] = { time: tick(), by: device, value };
    entries.push({ kind: "memory", key, ...state.memory[key] });
  }
  const there = new Map([...tree.walk()].filter(({ path, node }) => !node.names && !path.startsWith(".clawft")).map(({ path, node }) => [path, node]));
  for (const path of [...new Set([...there.keys(), ...Object.keys(state.files)])].filter(plain)) {
    const node = there.get(path);
    const known = state.files[path] ?? [];
    const old = best(known);
    const size = node ? node.size : -1;
    const content = node?.data.subarray(0, node.size);
    const crc = content ? crc32(content) : 0;
    if (old ? old.size === size && old.crc === crc : !node) continue;
    // It follows all that were known.
    const version = known.reduce((all, one) => both(all, one.version), /** @type {Record<string, number>} */ ({}));
    version[device] = (version[device] ?? 0) + 1;
    const time = tick();
    state.files[path] = [{ version, time, by: device, crc, size }];
    entries.push({ kind: "file", path, version, time, by: device, bytes: content ? base64(content) : null });
  }
  return entries;
}

/**
 * All there is, as entries for a device that has nothing yet, or has been away for long: merged, they
 * make of any state what it would be with all that made this one. None where the tree has changed
 * since it was last collected.
 * @param {State} state
 * @param {Tree} tree
 */
export function everything(state, tree) {
  /** @type {any[]} */
  const entries = [];
  const told = new Set();
  for (const [name, { hashes }] of named(state.turns)) {
    const { head, turns: known } = lines(tree, name);
    let turns = [];
    let size = 0;
    // Each after what it goes on from, also where they are read in parts.
    for (const [i, hash] of hashes.entries()) {
      if (told.has(hash)) continue;
      told.add(hash);
      const { after, time, by, root = "" } = state.turns[hash];
      // An old turn may be in no file any more.
      const line = known.get(i + 1) ?? null;
      turns.push([hash, after, time, by, root, line]);
      size += line?.length ?? 0;
      if (size > PART || i === hashes.length - 1) {
        entries.push({ kind: "tree", head, turns });
        [turns, size] = [[], 0];
      }
    }
    if (turns.length) entries.push({ kind: "tree", head, turns });
  }
  for (const [key, value] of Object.entries(state.memory)) entries.push({ kind: "memory", key, ...value });
  // Those beside others first: they are then known when the other is merged.
  const beside = (/** @type {string} */ path) => (path.includes(".conflict-") ? 0 : 1);
  for (const [path, versions] of Object.entries(state.files).sort(([a], [b]) => beside(a) - beside(b))) {
    const shown = best(versions);
    for (const one of versions) {
      const { version, time, by, size, crc } = one;
      const node = one === shown && size >= 0 ? tree.find(path) : undefined;
      const content = node ? node.data.subarray(0, node.size) : one.bytes === undefined ? undefined : bytesOf(one.bytes);
      if (size >= 0 && (content?.length !== size || crc32(content) !== crc)) return undefined;
      entries.push({ kind: "file", path, version, time, by, bytes: size >= 0 && content ? base64(content) : null });
    }
  }
  return entries;
}

/**
 * Whether all that entries go on from is here, or stands before them.
 * @param {State} state
 * @param {any[]} entries
 */
export function fits(state, entries) {
  const added = new Set([""]);
  return entries.every(({ kind, after, hashes = [] }) => {
    hashes.forEach((/** @type {string} */ hash) => added.add(hash));
    return kind !== "turns" || added.has(after) || Object.hasOwn(state.turns, after);
  });
}

/**
 * Does to the tree what another device tells.
 * @param {State} state
 * @param {Tree} tree
 * @param {any[]} entries
 * @returns {Promise<string[]>} what is worth telling the user
 */
export async function merge(state, tree, entries) {
  /** @type {string[]} */
  const notes = [];
  for (const entry of entries) {
    const times = [...(entry.lines ?? []).map((/** @type {[string, number]} */ one) => one[1]), ...(entry.turns ?? []).map((/** @type {any[]} */ one) => one[2])];
    for (const time of [entry.time ?? 0, ...times]) state.clock = Math.max(state.clock, time);
    if (entry.kind === "turns") await turns(state, tree, entry, notes);
    if (entry.kind === "tree") known(state, tree, entry, notes);
    if (entry.kind === "memory") remember(state, tree, entry);
    if (entry.kind === "file") file(state, tree, entry, notes);
  }
  return notes;
}

/** @param {State} state @param {Tree} tree @param {any} entry @param {string[]} notes */
async function turns(state, tree, { session, head, after, by, lines: added }, notes) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  let hash = after;
  for (const [line, time] of added) {
    const before = hash;
    hash = await link(before, line);
    if (!Object.hasOwn(state.turns, hash)) state.turns[hash] = { after: before, time, by, ...(!before && { root: session }) };
    texts.set(hash, line);
  }
  arrange(state, tree, texts, head, notes);
}

/** Turns as `everything` has them. @param {State} state @param {Tree} tree @param {any} entry @param {string[]} notes */
function known(state, tree, { head, turns: told }, notes) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const [hash, after, time, by, root, line] of told) {
    if (!Object.hasOwn(state.turns, hash)) state.turns[hash] = { after, time, by, ...(!after && { root }) };
    if (line !== null) texts.set(hash, line);
  }
  arrange(state, tree, texts, head, notes);
}

/**
 * Writes the conversations that are no longer as the tree of turns has them.
 * @param {State} state
 * @param {Tree} tree
 * @param {Map<string, string>} texts
 * @param {string} head
 * @param {string[]} notes
 */
function arrange(state, tree, texts, head, notes) {
  /** @type {Map<string, string>} */
  const heads = new Map();
  for (const [name, hashes] of Object.entries(state.sessions)) {
    const { head: own, turns: known } = lines(tree, name);
    heads.set(name, own);
    // What came after the last turn that has been told is gathered before anything is merged.
    for (const [turn, line] of known) if (hashes[turn - 1]) texts.set(hashes[turn - 1], line);
  }
  const next = named(state.turns);
  for (const name of Object.keys(state.sessions)) if (!next.has(name) && state.sessions[name].length) tree.remove(fileOf(name));
  for (const [name, { hashes, from }] of next) {
    if (state.sessions[name]?.join() === hashes.join()) continue;
    if (from && !state.sessions[name]) notes.push(`Both devices had gone on with ${from}: the other conversation is ${name}.`);
    // Old turns may be in no file any more: then the file begins later.
    const turns = /** @type {[number, string][]} */ (hashes.flatMap((hash, i) => (texts.has(hash) ? [[i + 1, texts.get(hash)]] : [])));
    put(tree, name, heads.get(name) || heads.get(from) || head, turns);
  }
  state.sessions = Object.fromEntries([...next].map(([name, { hashes }]) => [name, hashes]));
}

/**
 * Each path of the tree of turns by its name: of those that go on from a turn the earliest has the
 * name of what was before.
 * @param {Record<string, Turn>} turns
 * @returns {Map<string, { hashes: string[], from: string }>}
 */
function named(turns) {
  const before = (/** @type {string} */ a, /** @type {string} */ b) => (later([turns[a].time, turns[a].by], [turns[b].time, turns[b].by]) ? 1 : -1);
  /** @type {Map<string, string[]>} */
  const following = new Map();
  for (const [hash, { after, root }] of Object.entries(turns)) {
    const key = after || ` ${root}`;
    following.set(key, [...(following.get(key) ?? []), hash]);
  }
  following.forEach((hashes) => hashes.sort(before));
  /** @type {{ path: string[], root: string }[]} */
  const branches = [];
  const follow = (/** @type {string[]} */ path, /** @type {string} */ from, /** @type {string} */ root) => {
    for (let next = following.get(from); next; next = following.get(path.at(-1) ?? "")) {
      for (const other of next.slice(1)) branches.push({ path: [...path, other], root });
      path.push(next[0]);
    }
    return path;
  };
  /** @type {Map<string, { hashes: string[], from: string }>} */
  const all = new Map();
  for (const key of [...following.keys()].filter((one) => one.startsWith(" ")).sort()) all.set(key.slice(1), { hashes: follow([], key, key.slice(1)), from: "" });
  // Branches may have branches: the list grows while it is gone through.
  /** @type {{ first: string, hashes: string[], root: string }[]} */
  const found = [];
  for (const { path, root } of branches) found.push({ first: path[path.length - 1], hashes: follow(path, path[path.length - 1], root), root });
  found.sort((a, b) => before(a.first, b.first));
  for (const { first, hashes, root } of found) {
    const { by } = turns[first];
    const name = `${root.slice(0, 60 - by.length)}.${by}`;
    all.set(all.has(name) ? `${root.slice(0, 55 - by.length)}.${by}-${first.slice(0, 4)}` : name, { hashes, from: root });
  }
  return all;
}

/** @param {State} state @param {Tree} tree @param {any} entry */
function remember(state, tree, { key, time, by, value }) {
  const old = state.memory[key];
  if (old && !later([time, by], [old.time, old.by])) return;
  state.memory[key] = { time, by, value };
  const memory = memoryOf(tree);
  if (value === null) delete memory[key];
  else Object.defineProperty(memory, key, { value, enumerable: true, configurable: true, writable: true });
  // The agent's own order, which is by bytes.
  const sorted = Object.keys(memory).sort((a, b) => compare(utf8.encode(a), utf8.encode(b)));
  tree.write(MEMORY, utf8.encode(`{${sorted.map((one) => `${JSON.stringify(one)}:${JSON.stringify(memory[one])}`).join(",")}}`));
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function compare(a, b) {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] ?? -1) - (b[at] ?? -1);
}

/** @param {Record<string, number>} a @param {Record<string, number>} b */
const covers = (a, b) => Object.entries(b).every(([device, count]) => (a[device] ?? 0) >= count);

/** @param {Record<string, number>} a @param {Record<string, number>} b */
function both(a, b) {
  const all = { ...a };
  for (const [device, count] of Object.entries(b)) all[device] = Math.max(all[device] ?? 0, count);
  return all;
}

/**
 * Of concurrent versions the one that is shown: what is there before what is removed, then the
 * later.
 * @param {Version[]} versions
 * @returns {Version | undefined}
 */
const best = (versions) =>
  versions.reduce((top, one) => {
    if (!top || one.size >= 0 !== top.size >= 0) return !top || one.size >= 0 ? one : top;
    return later([one.time, one.by], [top.time, top.by]) ? one : top;
  }, /** @type {Version | undefined} */ (undefined));

/**
 * Of a file all versions are known that no other one follows: which ones these are does not depend
 * on the order in which they come.
 * @param {State} state
 * @param {Tree} tree
 * @param {any} entry
 * @param {string[]} notes
 */
function file(state, tree, { path, version, time, by, bytes }, notes) {
  const known = state.files[path] ?? [];
  if (known.some((one) => covers(one.version, version))) return;
  const content = bytes === null ? undefined : bytesOf(bytes);
  const before = best(known);
  if (before && before.size >= 0) before.bytes ??= base64(tree.read(path));
  const versions = [...known.filter((one) => !covers(version, one.version)), { version, time, by, crc: content ? crc32(content) : 0, size: content ? content.length : -1, ...(content && { bytes }) }];
  state.files[path] = versions;
  const now = /** @type {Version} */ (best(versions));
  if (now !== before) {
    if (now.size >= 0) store(tree, path, bytesOf(now.bytes ?? ""));
    else if (tree.find(path)) tree.remove(path);
  }
  delete now.bytes;
  for (const lost of versions) {
    if (lost === now || lost.size < 0 || (lost.size === now.size && lost.crc === now.crc)) continue;
    // Named by the version, so that every device calls it the same; told on as a file of its own,
    // for who never sees both.
    const count = lost.version[lost.by] ?? 1;
    const beside = `${path}.conflict-${lost.by}${count > 1 ? `-${count}` : ""}`;
    if (tree.find(beside) || state.files[beside]) continue;
    store(tree, beside, bytesOf(lost.bytes ?? ""));
    notes.push(`${path} was changed on both devices: the other version is ${beside}.`);
  }
}

/**
 * A file where a folder was, or the other way round: what was there goes beside.
 * @param {Tree} tree
 * @param {string} path
 * @param {Uint8Array} content
 */
function store(tree, path, content) {
  const names = path.split("/");
  for (let i = 1; i <= names.length; i += 1) {
    const at = names.slice(0, i).join("/");
    const node = tree.find(at);
    if (node && (node.names === undefined) !== (i === names.length)) tree.rename(at, `${at}.was`);
  }
  tree.write(path, content);
}

// Devices that share a session, in node: whatever they do apart, they come to hold the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, collect, fits, merge } from "../www/merge.js";
import { keysOf, seal, Sync, unseal } from "../www/sync.js";
import { KIND } from "../www/log.js";
import { Tree } from "../www/tree.js";
import { space } from "./space.mjs";

const utf8 = new TextEncoder();
const text = (bytes) => new TextDecoder().decode(bytes);

// A device as `sync.js` sees it: a tree, and a log that keeps the last state.
class Device {
  constructor(server, clock = () => 1000) {
    this.tree = new Tree();
    this.notes = [];
    this.server = server;
    this.clock = clock;
    this.here = { store: { note: (kind, value) => { if (kind === KIND.sync) this.here.store.sync = JSON.parse(JSON.stringify(value)); } } };
    this.open();
  }

  open() {
    const post = ({ type, notes = [] }) => type === "merged" && this.notes.push(...notes);
    this.sync = new Sync(this.here, { base: "http://host/sync/v1/", fetch: this.server.fetch, post, save: async () => undefined, again: () => undefined, tree: () => this.tree, busy: () => false, now: this.clock, baseAfter: () => this.server.baseAfter, name: () => `d${(this.server.devices = (this.server.devices ?? 0) + 1)}` });
    this.sync.watch = async () => undefined;
  }

  async pair(with_) {
    await this.sync.ask(with_ ? { pair: `https://x/#pair=${with_.sync.kept.key}` } : { on: true });
    return this;
  }

  get name() {
    return this.sync.kept.state.device;
  }

  // A turn, as the agent would write it.
  say(session, what) {
    const path = `.clawft/sessions/${session}.json`;
    const old = this.tree.find(path) ? text(this.tree.read(path)) : `${JSON.stringify({ version: 2, name: session, dropped: 0 })}\n`;
    const turn = old.trim().split("\n").length;
    this.tree.write(path, utf8.encode(`${old}${JSON.stringify({ turn, messages: [{ role: "user", content: what }] })}\n`));
  }

  said(session) {
    const path = `.clawft/sessions/${session}.json`;
    if (!this.tree.find(path)) return undefined;
    const [head, ...turns] = text(this.tree.read(path)).trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(head.name, session);
    turns.forEach((turn, i) => assert.equal(turn.turn, i + 1));
    return turns.map((turn) => turn.messages[0].content);
  }

  write(path, what) {
    this.tree.write(path, utf8.encode(what));
  }

  read(path) {
    return this.tree.find(path) ? text(this.tree.read(path)) : undefined;
  }

  remember(key, value) {
    const all = { ...JSON.parse(this.read(".clawft/memory.json") ?? "{}"), [key]: value };
    this.write(".clawft/memory.json", JSON.stringify(Object.fromEntries(Object.keys(all).sort().map((one) => [one, all[one]]))));
  }

  all() {
    return [...this.tree.walk()].filter(({ node }) => !node.names).map(({ path }) => `${path}: ${this.read(path)}`).sort();
  }

  once = () => this.sync.once();
}

async function pair(count = 2, clock = undefined) {
  const server = space();
  const devices = [await new Device(server, clock).pair()];
  while (devices.length < count) devices.push(await new Device(server, clock).pair(devices[0]));
  return { server, devices };
}

async function settle(devices) {
  for (let round = 0; round < 3; round += 1) for (const device of devices) await device.once();
}

test("turns, files and memory go from one device to the other", async () => {
  const { devices: [a, b] } = await pair();
  a.say("main", "hello");
  a.write("notes/a.txt", "of a");
  a.remember("colour", "green");
  await a.once();
  await b.once();
  assert.deepEqual([b.said("main"), b.read("notes/a.txt"), b.read(".clawft/memory.json")], [["hello"], "of a", '{"colour":"green"}']);
  b.say("main", "from b");
  b.tree.remove("notes/a.txt");
  await b.once();
  await a.once();
  assert.deepEqual([a.said("main"), a.read("notes/a.txt")], [["hello", "from b"], undefined]);
  assert.deepEqual(a.all(), b.all());
  // Nothing new, nothing sent.
  const { size } = a.server.segments;
  await settle([a, b]);
  assert.equal(a.server.segments.size, size);
});

test("both went on: the earlier keeps the name, the other is beside it, and each goes on from either", async () => {
  let now = 1000;
  const { devices: [a, b] } = await pair(2, () => (now += 10));
  a.say("main", "common");
  await settle([a, b]);
  a.say("main", "a1");
  a.say("main", "a2");
  await a.sync.gather();
  b.say("main", "b1");
  await settle([a, b]);
  for (const one of [a, b]) {
    assert.deepEqual(one.said("main"), ["common", "a1", "a2"]);
    assert.deepEqual(one.said(`main.${b.name}`), ["common", "b1"]);
  }
  assert.match(b.notes.join(), /Both devices had gone on with main/);
  b.say(`main.${b.name}`, "b2");
  b.say("main", "after a2");
  await settle([b, a]);
  assert.deepEqual(a.all(), b.all());
  assert.deepEqual(a.said("main"), ["common", "a1", "a2", "after a2"]);
  assert.deepEqual(a.said(`main.${b.name}`), ["common", "b1", "b2"]);
});

test("a file that both changed stays twice; what one removed and the other changed stays; memory is by key", async () => {
  let now = 1000;
  const { devices: [a, b] } = await pair(2, () => (now += 10));
  for (const path of ["both", "gone", "same"]) a.write(path, "old");
  await settle([a, b]);
  a.write("both", "by a");
  a.tree.remove("gone");
  a.write("same", "new");
  a.remember("k", "a");
  a.remember("of a", "1");
  await a.sync.gather();
  b.write("both", "by b");
  b.write("gone", "changed");
  b.write("same", "new");
  b.remember("k", "b");
  await settle([a, b]);
  assert.deepEqual(a.all(), b.all());
  assert.deepEqual([a.read("both"), a.read(`both.conflict-${a.name}-2`), a.read("gone"), a.read("same"), a.all().filter((one) => one.startsWith("same")).length], ["by b", "by a", "changed", "new", 1]);
  assert.equal(a.read(".clawft/memory.json"), '{"k":"b","of a":"1"}');
});

test("offline, lost answers, a server that is down: nothing is lost, nothing comes twice", async () => {
  const { server, devices: [a, b] } = await pair();
  server.down = true;
  a.say("main", "offline");
  await assert.rejects(a.once());
  assert.equal(a.sync.state().pending, 1);
  // The page goes away; what waits is in the log.
  a.open();
  a.sync.keys = await keysOf(Uint8Array.from(atob(a.sync.kept.key.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)));
  server.down = false;
  server.lose = 1;
  await assert.rejects(a.once(), /broke/);
  a.say("main", "and another");
  await settle([a, b]);
  assert.deepEqual(b.said("main"), ["offline", "and another"]);
  assert.equal(a.sync.state().pending, 0);
  const names = [...server.segments.keys()];
  assert.equal(new Set(names).size, 2, names.join());
});

test("another key reads nothing, and the server refuses it", async () => {
  const { server, devices: [a] } = await pair();
  a.say("main", "secret words");
  a.write("f.txt", "secret words");
  await a.once();
  const [[name, bytes]] = server.segments;
  assert.ok(!text(bytes).includes("secret"));
  const key = (n) => keysOf(new Uint8Array(32).fill(n));
  const [mine, other] = [await key(1), await key(2)];
  const sealed = await seal(mine.secret, "space/a/1", { entries: [1] });
  assert.deepEqual(await unseal(mine.secret, "space/a/1", sealed), { entries: [1] });
  await assert.rejects(unseal(other.secret, "space/a/1", sealed), /another key/);
  await assert.rejects(unseal(mine.secret, "space/a/2", sealed), /another name/);
  for (let at = 0; at < sealed.length; at += 1) {
    const damaged = sealed.slice();
    damaged[at] ^= 1;
    await assert.rejects(unseal(mine.secret, "space/a/1", damaged), /damaged/);
  }
  assert.match(name, /^[0-9a-f]{32}\/d1\/0000000000000001$/);
  assert.notEqual(mine.token, other.token);
  const stranger = await server.fetch(`http://host/sync/v1/${name.split("/")[0]}/heads`, { headers: { authorization: "Bearer x" } });
  assert.equal(stranger.status, 403);
  const stray = new Device(server);
  await assert.rejects(stray.sync.ask({ pair: "#pair=short" }), /no pairing link/);
});

test("a device whose state was copied takes another name, and both keep what they said", async () => {
  const { server, devices: [a, b] } = await pair();
  a.say("main", "common");
  await settle([a, b]);
  const copy = new Device(server);
  copy.here.store.sync = JSON.parse(JSON.stringify(a.here.store.sync));
  for (const { path, node } of a.tree.walk()) node.names ? copy.tree.mkdir(path) : copy.tree.write(path, a.tree.read(path));
  copy.open();
  copy.sync.keys = a.sync.keys;
  a.write("x", "by a");
  copy.write("x", "by the copy");
  await a.once();
  await copy.once();
  assert.notEqual(copy.name, a.name);
  await settle([a, b, copy]);
  assert.deepEqual(copy.all(), a.all());
  assert.deepEqual(b.all(), a.all());
  assert.equal(a.all().filter((one) => one.startsWith("x")).length, 2);
});

// What a fresh device comes to hold, and how many segments it has read.
async function fresh(server, with_) {
  const from = server.seen.length;
  const device = await new Device(server).pair(with_);
  return { device, read: server.seen.slice(from).filter(({ method, path }) => method === "GET" && /\/[0-9a-f]{16}$/.test(path)).length };
}

test("many segments become a base: who comes later reads that, also when what it covers is gone", async () => {
  let now = 1000;
  const { server, devices: [a, b, away] } = await pair(3, () => (now += 10));
  server.baseAfter = 8;
  a.say("main", "common");
  a.write("kept.txt", "as it was");
  await settle([a, b, away]);
  // A branch, a conflict, something removed, something forgotten.
  a.say("main", "of a");
  a.write("both", "by a");
  a.remember("k", "1");
  await a.sync.gather();
  b.say("main", "of b");
  b.write("both", "by b");
  b.tree.remove("kept.txt");
  await settle([a, b]);
  for (let i = 0; i < 6; i += 1) {
    [a, b][i % 2].say("main", `turn ${i}`);
    await a.once();
    await b.once();
  }
  await settle([a, b]);
  const bases = async () => Object.keys((await (await server.fetch(`http://host/sync/v1/${a.sync.keys.space}/heads`, { headers: { authorization: `Bearer ${a.sync.keys.token}` } })).json()).bases);
  assert.equal((await bases()).length, 1, "one of them has written one");
  const { size } = server.segments;
  await settle([a, b]);
  assert.equal(server.segments.size, size, "and it comes to rest");
  const { device: c, read } = await fresh(server, a);
  assert.deepEqual(c.all(), a.all());
  assert.ok(read < 8, `${read} segments were read`);
  const gone = server.clear();
  assert.ok(gone >= 8, `${gone} segments went`);
  // Who has nothing yet, who was away since then, and who has said something meanwhile.
  const { device: d } = await fresh(server, a);
  assert.deepEqual(d.all(), a.all());
  away.say("main", "of the one that was away");
  await away.once();
  for (let round = 0; round < 2; round += 1) await settle([a, b, c, d, away]);
  for (const one of [b, c, d, away]) assert.deepEqual(one.all(), a.all());
  assert.ok(a.all().join().includes("of the one that was away"));
});

test("a device whose state is older than what is covered takes another name, and what it says is not lost", async () => {
  const { server, devices: [a, b] } = await pair();
  server.baseAfter = 3;
  a.say("main", "first");
  await settle([a, b]);
  const old = JSON.parse(JSON.stringify(a.here.store.sync));
  const files = [...a.tree.walk()].filter(({ node }) => !node.names).map(({ path }) => [path, a.read(path)]);
  for (let i = 0; i < 5; i += 1) {
    a.say("main", `later ${i}`);
    await settle([a, b]);
  }
  assert.ok(server.clear() > 0);
  const restored = new Device(server);
  restored.here.store.sync = old;
  for (const [path, text] of files) restored.write(path, text);
  restored.open();
  restored.sync.keys = a.sync.keys;
  restored.say("main", "after it was restored");
  await settle([restored, a, b, restored]);
  assert.notEqual(restored.name, a.name);
  for (const one of [a, restored]) assert.deepEqual(one.all(), b.all());
  assert.ok(b.all().join().includes("after it was restored"));
});

test("what goes on from something that has not come yet waits for it", async () => {
  const [a, b, c] = ["a", "b", "c"].map(begin);
  const [ta, tb, tc] = [new Tree(), new Tree(), new Tree()];
  const line = (n, what) => `${JSON.stringify({ turn: n, what })}\n`;
  ta.write(".clawft/sessions/s.json", utf8.encode(`{"version":2,"name":"s","dropped":0}\n${line(1, "a")}`));
  const first = await collect(a, ta, 1);
  await merge(b, tb, first);
  tb.write(".clawft/sessions/s.json", utf8.encode(`${text(tb.read(".clawft/sessions/s.json"))}${line(2, "b")}`));
  const second = await collect(b, tb, 2);
  assert.equal(fits(c, second), false);
  await merge(c, tc, first);
  assert.equal(fits(c, second), true);
  await merge(c, tc, second);
  assert.equal(text(tc.read(".clawft/sessions/s.json")), text(tb.read(".clawft/sessions/s.json")));
});

test("three devices do things at random, apart and together, and come to hold the same; nobody loses a turn", async () => {
  let [branches, gone] = [0, 0];
  for (let seed = Number(process.env.SYNC_FROM ?? 1); seed <= Number(process.env.SYNC_SEEDS ?? 12); seed += 1) {
    let state = seed * 7919;
    const random = (below) => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8) % below;
    let now = 1000;
    const { server, devices } = await pair(3, () => (now += random(3)));
    // Every other time with bases, and what they cover goes at any moment.
    server.baseAfter = seed % 2 ? 2 : undefined;
    const said = [];
    for (let step = 0; step < 40; step += 1) {
      const device = devices[random(3)];
      const what = `${seed}.${step}`;
      [
        () => {
          const names = [...(device.tree.find(".clawft/sessions")?.names?.keys() ?? ["main.json"])];
          device.say(names[random(names.length)].slice(0, -5), what);
          said.push(what);
        },
        () => device.write(`f${random(2)}`, what),
        () => device.tree.find("f0") && device.tree.remove("f0"),
        () => device.remember(`k${random(2)}`, what),
        () => (device.sync.running = device.sync.running.then(() => device.sync.gather())),
        () => device.once(),
        () => seed % 2 && (gone += server.clear()),
      ][random(7)]();
      await device.sync.running;
    }
    await settle([...devices, ...devices]);
    const { size } = devices[0].server.segments;
    await settle(devices);
    assert.equal(devices[0].server.segments.size, size, `seed ${seed}: it comes to rest`);
    const [first, ...rest] = devices.map((device) => device.all());
    rest.forEach((one) => assert.deepEqual(one, first, `seed ${seed}`));
    const text = first.join("\n");
    for (const what of said) assert.ok(text.includes(`"${what}"`), `seed ${seed}: the turn ${what} is gone`);
    branches += first.filter((one) => /sessions\/main\./.test(one)).length - 1;
  }
  assert.ok(branches > 5 && gone > 10, `${branches} branches, ${gone} segments gone`);
});

test("the QR code of a text: each of these was read by another program", async () => {
  const { encode } = await import("../www/qr.js");
  const { createHash } = await import("node:crypto");
  const known = { 1: "e0065cd099f60f3d", 17: "d1002af661674df1", 106: "5a35c69a3864c65b", 154: "109b9dd3ebd3bc7a", 271: "5575025087277351", 425: "a59d8379471cae70" };
  for (const [length, hash] of Object.entries(known)) {
    const rows = encode("https://x/#pair=Abc-_9".repeat(20).slice(0, Number(length))).map((row) => row.map(Number).join(""));
    assert.equal(createHash("sha256").update(rows.join("\n")).digest("hex").slice(0, 16), hash, `${length} bytes`);
  }
  assert.equal(encode("x".repeat(426)), undefined);
});

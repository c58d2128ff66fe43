// The log on a file that is cut, flipped, written on, and killed at every write: what is there
// afterwards is a save, whole.
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, KIND, Newer } from "../www/log.js";
import { Store } from "../www/store.js";
import { memory } from "../www/backends.js";
import { pack, unpack } from "../www/tar.js";
import { Tree } from "../www/tree.js";

const utf8 = new TextEncoder();
class Killed extends Error {}

// Files that survive a kill. `left` operations are done; the one after that is done in part, and
// then nothing works.
class Disk {
  files = new Map();
  left = Infinity;
  kind = "fake";
  ops = 0;
  part = 0.5;

  act(run, partly = () => undefined) {
    this.ops += 1;
    if (this.left <= 0) throw new Killed();
    this.left -= 1;
    if (this.left === 0) {
      partly();
      throw new Killed();
    }
    return run();
  }

  list = async () => [...this.files.keys()];
  remove = async (name) => this.act(() => this.files.delete(name));

  open = async (name) => {
    if (!this.files.has(name)) this.act(() => this.files.set(name, new Uint8Array()));
    const get = () => this.files.get(name);
    const put = (bytes, at) => {
      const to = new Uint8Array(Math.max(get().length, at + bytes.length));
      to.set(get());
      to.set(bytes, at);
      this.files.set(name, to);
    };
    return {
      read: (at, length) => get().slice(at, at + length),
      write: (bytes, at) => this.act(() => put(bytes, at), () => put(bytes.subarray(0, Math.floor(bytes.length * this.part)), at)),
      flush: () => this.act(() => undefined),
      truncate: (size) => this.act(() => this.files.set(name, get().slice(0, size))),
      size: () => get().length,
      close: () => undefined,
    };
  };

  copy() {
    const disk = new Disk();
    for (const [name, bytes] of this.files) disk.files.set(name, bytes.slice());
    return disk;
  }
}

// All that a tree holds, as text.
const shown = (tree) => [...tree.walk()].map(({ path, node }) => `${path}:${node.names ? "/" : Buffer.from(tree.read(path)).toString("hex")}`).sort().join("\n");

// A session of some saves: what it held after each.
async function played(disk) {
  const store = await Store.open(disk);
  const states = [shown(store.tree)];
  const save = async () => {
    assert.equal(await store.save(), true);
    states.push(shown(store.tree));
  };
  store.tree.write("a.txt", utf8.encode("first"));
  await save();
  store.tree.write(".clawft/sessions/s.json", utf8.encode("line one\n"));
  store.tree.mkdir("empty/folder");
  store.note(KIND.turn, { session: "s" });
  await save();
  store.tree.write(".clawft/sessions/s.json", utf8.encode("line two\n"), 9);
  store.tree.rename("a.txt", "b.txt");
  await save();
  store.tree.remove("empty");
  store.tree.write("empty", utf8.encode("a file now"));
  await save();
  assert.equal(await store.save(), false, "nothing changed, nothing written");
  await store.close();
  return states;
}

test("what is saved is there, and only what changed is written", async () => {
  const disk = new Disk();
  const states = await played(disk);
  const store = await Store.open(disk);
  assert.equal(shown(store.tree), states.at(-1));
  assert.equal(store.turn.session, "s");
  assert.equal(store.pending, false);
  store.tree.write("big", new Uint8Array(100_000));
  await store.save();
  store.tree.write("big", utf8.encode("more"), 100_000);
  await store.save();
  const { bytes } = store.saves.at(-1);
  assert.ok(bytes < 4096, `${bytes} bytes for four more`);
  assert.equal(store.epoch, 2);
});

test("cut anywhere, it holds the last save before that", async () => {
  const disk = new Disk();
  const states = await played(disk);
  const whole = disk.files.get("g0.log");
  let last = 0;
  for (let length = 0; length <= whole.length; length += 1) {
    const cut = disk.copy();
    cut.files.set("g0.log", whole.slice(0, length));
    const store = await Store.open(cut);
    const at = states.indexOf(shown(store.tree));
    assert.ok(at >= last, `cut to ${length} bytes: save ${at} after ${last}`);
    last = at;
    store.tree.write("after", utf8.encode("x"));
    await store.save();
    const again = await Store.open(cut);
    assert.equal(shown(again.tree), shown(store.tree), `what is saved after a cut to ${length} bytes`);
  }
  assert.equal(last, states.length - 1);
});

test("a bit flipped anywhere: a save, whole, and the damaged file is kept beside", async () => {
  const disk = new Disk();
  const states = await played(disk);
  const whole = disk.files.get("g0.log");
  let [kept, refused] = [0, 0];
  for (let at = 0; at < whole.length; at += 1) {
    const flipped = disk.copy();
    const bytes = whole.slice();
    bytes[at] ^= 1 << at % 8;
    flipped.files.set("g0.log", bytes);
    const store = await Store.open(flipped);
    const state = states.indexOf(shown(store.tree));
    assert.ok(state >= 0, `byte ${at}: a state that never was`);
    if (state < states.length - 2) {
      const copy = [...flipped.files].find(([name]) => name.endsWith(".damaged"));
      assert.deepEqual(copy?.[1], bytes, `byte ${at}`);
      kept += 1;
    }
    if (at < 32) assert.equal(state, states.length - 1, "a damaged header costs nothing");
    refused += state < states.length - 1;
  }
  assert.ok(kept > 100 && refused > kept, `${kept} ${refused}`);
});

test("bytes added at the end are cut off, a repeated group among them", async () => {
  const disk = new Disk();
  const states = await played(disk);
  const whole = disk.files.get("g0.log");
  for (const more of [[0], [1, 2, 3], new Uint8Array(64), new Uint8Array(64).fill(255), whole, whole.slice(32), whole.slice(32, 200)]) {
    const longer = disk.copy();
    longer.files.set("g0.log", Uint8Array.from([...whole, ...more]));
    const store = await Store.open(longer);
    assert.equal(shown(store.tree), states.at(-1));
    assert.equal(longer.files.get("g0.log").length, whole.length);
  }
});

test("killed at every operation of saving and compacting: never less than the last finished save", async () => {
  const states = [""];
  // Gives how many saves were finished.
  async function run(disk) {
    let finished = 0;
    try {
      const store = await Store.open(disk);
      for (let i = 0; i < 4; i += 1) {
        store.tree.write(`f${i % 2}`, utf8.encode(`text ${i} `.repeat(20)));
        store.note(KIND.turn, { i });
        states[i + 1] = shown(store.tree);
        await store.save();
        finished = i + 1;
        if (i % 2) await store.next(() => store.compact());
      }
      await store.close();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    return finished;
  }
  const dry = new Disk();
  const all = [];
  assert.equal(await run(dry), 4);
  const count = dry.ops;
  assert.ok(count > 30, `${count} operations`);
  for (const part of [0, 0.3, 0.99, 1]) {
    for (let left = 1; left <= count; left += 1) {
      const disk = new Disk();
      Object.assign(disk, { left, part });
      const finished = await run(disk);
      disk.left = Infinity;
      const names = [...disk.files.keys()].join();
      const store = await Store.open(disk);
      const now = states.indexOf(shown(store.tree));
      // What was being saved may be there too; then it is whole.
      assert.ok(now === finished || now === finished + 1, `killed after ${left} (${names}): save ${now}, ${finished} were finished`);
      assert.equal(store.turn?.i ?? -1, now - 1);
      assert.equal(store.damaged, false, `killed after ${left} (${names})`);
      assert.equal([...disk.files.keys()].filter((name) => /^g\d+\.log$/.test(name)).length, 1, names);
      all.push(now);
      // It goes on.
      store.tree.write("on", utf8.encode("x"));
      await store.save();
      assert.equal(shown((await Store.open(disk)).tree), shown(store.tree));
    }
  }
  assert.deepEqual([...new Set(all)].sort(), [0, 1, 2, 3, 4]);
});

test("a base that is damaged: everything still readable, and the files as they were", async () => {
  const disk = new Disk();
  const store = await Store.open(disk);
  for (let i = 0; i < 5; i += 1) store.tree.write(`f${i}`, utf8.encode(`text ${i}`));
  await store.save();
  await store.next(() => store.compact());
  store.tree.write("later", utf8.encode("in the log"));
  await store.save();
  const whole = disk.files.get("g1.base");
  for (let at = 0; at < whole.length; at += 3) {
    const flipped = disk.copy();
    const bytes = whole.slice();
    bytes[at] ^= 4;
    flipped.files.set("g1.base", bytes);
    const saved = await Store.open(flipped);
    const names = [...saved.tree.walk()].map(({ path }) => path);
    assert.ok(names.length >= 5 && names.includes("later"), `byte ${at}: ${names}`);
    assert.equal(saved.damaged, true);
    assert.ok([...flipped.files].some(([name, kept]) => name.startsWith("g1.base-") && Buffer.compare(kept, bytes) === 0));
    assert.equal(shown((await Store.open(flipped)).tree), shown(saved.tree));
  }
});

test("it is compacted when the log is large, and what is removed is gone", async () => {
  const disk = new Disk();
  const store = await Store.open(disk);
  for (let i = 0; i < 40; i += 1) {
    store.tree.write("f", new Uint8Array(50_000).fill(i));
    await store.save();
  }
  await store.running;
  assert.ok(store.generation >= 1);
  const size = [...disk.files.values()].reduce((sum, { length }) => sum + length, 0);
  assert.ok(size < 1_200_000, `${size} bytes`);
  assert.deepEqual((await Store.open(disk)).tree.read("f"), new Uint8Array(50_000).fill(39));
});

test("a save that comes while the log is compacted waits for that, and is there", async () => {
  const disk = new Disk();
  const { open } = disk;
  let go;
  const gate = new Promise((done) => (go = done));
  const opened = [];
  disk.open = async (name) => {
    opened.push(name);
    if (name === "g1.base") await gate;
    return open(name);
  };
  const store = await Store.open(disk);
  const turn = () => new Promise((done) => setImmediate(done));
  for (let i = 0; i < 30 && !opened.includes("g1.base"); i += 1) {
    store.tree.write("f", new Uint8Array(50_000).fill(i));
    await store.save();
    await turn();
  }
  store.tree.write("late", utf8.encode("during it"));
  const saved = store.save();
  // As long as the base is not there, nothing else is begun.
  await turn();
  go();
  assert.equal(await saved, true);
  store.tree.write("later", utf8.encode("after it"));
  assert.equal(await store.save(), true);
  await store.running;
  assert.deepEqual(opened.filter((name) => name === "g1.base").length, 1, "one at a time");
  const again = await Store.open(disk.copy());
  assert.deepEqual([shown(again.tree), again.damaged], [shown(store.tree), false]);
});

test("a full disk: the log stays as it was, and saving goes on when there is room", async () => {
  const disk = new Disk();
  const store = await Store.open(disk);
  store.tree.write("a", utf8.encode("kept"));
  await store.save();
  const { write } = store.log;
  store.log.write = (bytes, at) => {
    write(bytes.subarray(0, 10), at);
    throw new DOMException("no room", "QuotaExceededError");
  };
  store.tree.write("b", utf8.encode("later"));
  store.note(KIND.turn, { n: 1 });
  await assert.rejects(store.save(), /no room/);
  assert.match(store.paused, /QuotaExceededError/);
  assert.equal((await Store.open(disk.copy())).tree.find("b"), undefined);
  store.log.write = write;
  assert.equal(await store.save(), true);
  assert.equal(store.paused, "");
  const again = await Store.open(disk);
  assert.deepEqual([shown(again.tree), again.turn.n], [shown(store.tree), 1]);
});

test("a log of a newer version is left alone", async () => {
  const disk = new Disk();
  await played(disk);
  const bytes = disk.files.get("g0.log");
  const { crc32 } = await import("../www/log.js");
  bytes[8] = 2;
  new DataView(bytes.buffer).setUint32(28, crc32(bytes.subarray(0, 28)), true);
  const before = bytes.slice();
  await assert.rejects(Store.open(disk), Newer);
  assert.deepEqual(disk.files.get("g0.log"), before);
});

test("open calls outlive the page, answered ones do not; compaction keeps them", async () => {
  const files = await memory().files("s");
  const store = await Store.open(files);
  store.note(KIND.sent, { call: 1, op: 500, repeatable: true });
  store.note(KIND.sent, { call: 2, op: 500 });
  await store.save();
  store.note(KIND.answered, { call: 2 });
  store.image("", new Uint8Array([1, 2, 3]));
  store.image("named", new Uint8Array([4]), new Uint8Array([5, 6]));
  store.image("gone", new Uint8Array([7]));
  store.image("gone");
  await store.close();
  const again = await Store.open(files);
  assert.deepEqual([...again.calls.keys()], [1]);
  await again.next(() => again.compact());
  const third = await Store.open(files);
  assert.deepEqual([...third.calls.values()], [{ call: 1, op: 500, repeatable: true }]);
  assert.deepEqual([...third.images], [["", { memory: new Uint8Array([1, 2, 3]), files: new Uint8Array() }], ["named", { memory: new Uint8Array([4]), files: new Uint8Array([5, 6]) }]]);
});

test("random changes of a tree, saved now and then, are the tree", async () => {
  let seed = 7;
  const random = (below) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
  const disk = new Disk();
  let store = await Store.open(disk);
  for (let i = 0; i < 2000; i += 1) {
    const [path, other] = [0, 0].map(() => `${"abc"[random(3)]}${random(3) ? "" : `/${"xyz"[random(3)]}`}`);
    const { tree } = store;
    try {
      [
        () => tree.write(path, utf8.encode("t".repeat(random(50))), random(2) ? random(tree.find(path)?.size + 1 || 1) : 0),
        () => tree.mkdir(path),
        () => tree.remove(path),
        () => tree.rename(path, other),
      ][random(4)]();
    } catch (error) {
      if (error.number === undefined) throw error;
    }
    if (!random(5)) await store.save();
    if (!random(40)) {
      await store.save();
      const before = shown(tree);
      if (!random(3)) await store.next(() => store.compact());
      store = await Store.open(disk);
      assert.equal(shown(store.tree), before, `step ${i}`);
    }
    const sum = [...tree.walk()].reduce((all, { node }) => all + node.size, 0);
    assert.equal(tree.bytes, sum, `step ${i}`);
  }
  assert.deepEqual(changes(new Tree()), []);
});

test("the checksum is CRC-32, in one and in parts", async () => {
  const { crc32 } = await import("../www/log.js");
  assert.equal(crc32(utf8.encode("123456789")), 0xcbf43926);
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 31);
  for (const at of [0, 1, 2, 3, 4, 5, 997, 1000]) assert.equal(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at))), crc32(bytes));
});

test("archives are read as they were written, and by tar", async () => {
  const long = `${"folder/".repeat(20)}ümlaut.txt`;
  const entries = [{ path: "a", time: 5000 }, { path: "a/b.txt", bytes: utf8.encode("x".repeat(513)), time: 1000 }, { path: long, bytes: utf8.encode("long"), time: 0 }, { path: "empty", bytes: new Uint8Array(), time: 0 }];
  const archive = pack(entries);
  assert.deepEqual(unpack(archive), entries);
  const { execFileSync } = await import("node:child_process");
  assert.deepEqual(execFileSync("tar", ["tf", "-"], { input: archive, env: { ...process.env, LC_ALL: "C.UTF-8" } }).toString().trim().split("\n").map((name) => name.replace(/\\303\\274/, "ü")), ["a/", "a/b.txt", long, "empty"]);
  for (let at = 0; at < 512; at += 1) {
    const damaged = archive.slice();
    damaged[at] ^= 16;
    if (at >= 148 && at < 156) continue;
    if (at === 0) continue;
    assert.throws(() => unpack(damaged), /byte 0/, `byte ${at}`);
  }
});

// What is saved in Chromium: reload, two tabs, sessions side by side, archives, kills, and browsers
// that keep nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { forget, profile, start } from "./browser.mjs";
import { ask, banners, browsing, host, inWorkers, open, press, ready, say, shown, status } from "./setup.mjs";

let server;
before(async () => (server = await host()));
after(() => server.stop());

const at = (session, example = "notes") => `${server.origin}/?example=${example}&session=${session}`;

test("after a reload everything is there, and the address names the session", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/?example=notes`);
  await ready(tab, "notes");
  const url = await tab.run("location.href");
  assert.match(url, /session=notes-[a-z0-9]{1,8}$/);
  await say(tab, "notes", "write notes/a.txt: kept", "notes/a.txt");
  await say(tab, "notes", "hello", "hello");
  const before = await shown(tab, "notes");
  await tab.reload();
  await ready(tab, "notes");
  assert.equal(await tab.run("location.href"), url);
  assert.deepEqual(await shown(tab, "notes"), before);
  assert.equal(await say(tab, "notes", "read notes/a.txt"), "read_file: kept");
  assert.match(await status(tab), /saved \d/);
  const { kind, log, saves } = await ask(tab, "notes", "stats");
  assert.deepEqual([kind, log.epoch], ["opfs", 2]);
  assert.ok(saves.count >= 1 && saves.bytes < 4096 + 2000, `${saves.bytes} bytes for a turn`);
  // Twenty turns: what is written besides what they add to their file.
  const size = async () => (await ask(tab, "notes", "files")).find(({ path }) => path === ".clawft/sessions/main.json").bytes;
  const before_ = await size();
  for (let i = 0; i < 20; i += 1) await ask(tab, "notes", "say", { text: `turn ${i}` });
  const { saves: after_ } = await ask(tab, "notes", "stats");
  const beside = (after_.bytes - saves.bytes - ((await size()) - before_)) / 20;
  console.log(`# saves of 20 turns: median ${after_.p50.toFixed(2)} ms, 95% within ${after_.p95.toFixed(2)} ms, ${beside.toFixed(0)} bytes beside each turn's own`);
  assert.ok(beside <= 4096, `${beside} bytes`);
  // Nothing changed, nothing written.
  assert.equal(await ask(tab, "notes", "save"), false);
  assert.deepEqual(tab.complaints, []);
}));

test("two tabs, one owner: the other one sees it live, and takes it over", () => browsing(async (browser) => {
  const first = await browser.tab(at("shared"));
  await ready(first, "notes");
  await say(first, "notes", "hello");
  const second = await browser.tab(at("shared"));
  await second.until(`document.getElementById("banner-taken")`);
  assert.match(await status(second), /open in another tab/);
  assert.equal(await second.run(`document.getElementById("notes-input").disabled`), true);
  await second.until(`document.querySelectorAll("#notes-chat .said").length === 2`, "what there is");
  await say(first, "notes", "write live.txt: seen");
  await second.until(`document.getElementById("notes-chat").textContent.includes("wrote 4 bytes to live.txt")`, "what goes on");
  assert.deepEqual(await shown(second, "notes"), await shown(first, "notes"));
  await press(second, "Use here");
  await ready(second, "notes");
  await first.until(`document.getElementById("banner-taken")`);
  assert.equal(await first.run(`document.getElementById("notes-input").disabled`), true);
  assert.equal(await say(second, "notes", "read live.txt"), "read_file: seen");
  await press(first, "Use here");
  await first.until(`!document.getElementById("banner-taken")`);
  assert.equal(await say(first, "notes", "read live.txt"), "read_file: seen");
  // Another session in another tab runs beside it.
  const third = await browser.tab(at("other"));
  await ready(third, "notes");
  await Promise.all([say(third, "notes", "hello"), say(first, "notes", "hello")]);
  for (const tab of [first, second, third]) assert.deepEqual(tab.complaints, []);
}));

test("an owner that gives no sign may be overridden, after a question; it then writes no more", () => browsing(async (browser) => {
  // Its tabs hear nothing of each other, and are asked again after a shorter time.
  const own = await host((manifest, files) => {
    inWorkers("self.BroadcastChannel = class { postMessage() {} };")(manifest, files);
    files.set("tabs.js", Buffer.from(files.get("tabs.js").toString().replace(/const (SILENCE|LATE) = \d+/g, "const $1 = 300")));
  });
  const there = at("silent").replace(server.origin, own.origin);
  const first = await browser.tab(there);
  await ready(first, "notes");
  await say(first, "notes", "write a.txt: by the first");
  const second = await browser.tab(there);
  await second.until(`document.getElementById("banner-taken")`);
  await press(second, "Use here");
  await second.until(`[...document.querySelectorAll(".banner p")].some((one) => one.textContent.includes("gives no sign"))`);
  assert.equal(await first.run(`document.getElementById("notes-input").disabled`), false);
  await press(second, "Use here all the same");
  await ready(second, "notes");
  await first.until(`document.getElementById("banner-taken")`);
  assert.equal(await first.run(`document.getElementById("notes-input").disabled`), true);
  assert.equal(await ask(first, "notes", "save"), false);
  assert.equal(await say(second, "notes", "read a.txt"), "read_file: by the first");
  await own.stop();
}));

test("sessions: listed, opened, copied, renamed, deleted with undo, exported and imported", () => browsing(async (browser) => {
  const old = await browser.tab(at("old-one"));
  await ready(old, "notes");
  await say(old, "notes", "write a.txt: of the old one");
  await old.close();
  const tab = await browser.tab(at("new-one"));
  await ready(tab, "notes");
  await say(tab, "notes", "hello");
  await open(tab, "notes", "sessions");
  const names = () => tab.run(`[...document.querySelectorAll("#notes-sessions tbody tr")].map((row) => row.firstChild.textContent).sort()`);
  assert.deepEqual(await names(), ["new-one (open here)", "old-one"]);
  const archive = await tab.run(`import(document.querySelector("script").src).then(({ app }) => app("notes").ask("export", { name: "old-one" })).then((bytes) => [...bytes])`);
  const { unpack } = await import("../www/tar.js");
  const entries = unpack(Uint8Array.from(archive));
  assert.equal(new TextDecoder().decode(entries.find(({ path }) => path === "a.txt").bytes), "of the old one");
  assert.ok(entries.some(({ path }) => path === ".clawft/sessions/main.json"));
  const imported = `import(document.querySelector("script").src).then(({ app }) => app("notes").ask("import", { name: "NAME", archive: Uint8Array.from(${JSON.stringify(archive)}) }))`;
  assert.ok((await tab.run(imported.replace("NAME", "from-archive"))) > 1);
  await assert.rejects(tab.run(imported.replace("NAME", "old-one")), /a session old-one already/);
  await tab.run(`document.querySelector("[aria-label='Duplicate old-one']").click()`);
  await tab.run(`document.getElementById("notes-name").value = "a-copy"; document.querySelector("#notes-sessions form button").click()`);
  await tab.until(`document.querySelector("[aria-label='Open a-copy']")`);
  await tab.run(`document.querySelector("[aria-label='Rename old-one']").click()`);
  await tab.run(`document.getElementById("notes-name").value = "renamed"; document.querySelector("#notes-sessions form button").click()`);
  await tab.until(`document.querySelector("[aria-label='Open renamed']")`);
  assert.deepEqual(await names(), ["a-copy", "from-archive", "new-one (open here)", "renamed"]);
  await tab.run(`document.querySelector("[aria-label='Delete a-copy']").click()`);
  await tab.until(`!document.querySelector("[aria-label='Open a-copy']")`);
  await press(tab, "Undo");
  await tab.until(`document.querySelector("[aria-label='Open a-copy']")`);
  await tab.run(`document.querySelector("[aria-label='Open renamed']").click()`);
  await tab.until(`location.search.includes("session=renamed") && document.getElementById("notes-chat").textContent.includes("a.txt")`);
  await tab.until(`!document.getElementById("notes-input").disabled`);
  assert.equal(await say(tab, "notes", "read a.txt"), "read_file: of the old one");
  assert.deepEqual(tab.complaints, []);
}));

test("without OPFS it is IndexedDB, without that nothing is kept and the page says so", () => browsing(async (browser) => {
  // By the name of the session, what its worker is without.
  const own = await host(inWorkers(`if (/^(indexed|none)/.test(name)) delete StorageManager.prototype.getDirectory;
    if (name === "none") Object.defineProperty(self, "indexedDB", { value: undefined });`));
  const there = (session) => at(session).replace(server.origin, own.origin);
  const tab = await browser.tab(there("indexed"));
  await ready(tab, "notes");
  await say(tab, "notes", "write a.txt: kept");
  assert.equal((await ask(tab, "notes", "stats")).kind, "indexeddb");
  await tab.reload();
  await ready(tab, "notes");
  assert.equal(await say(tab, "notes", "read a.txt"), "read_file: kept");
  const none = await browser.tab(there("none"));
  await ready(none, "notes");
  assert.match(await status(none), /not saved/);
  assert.match((await banners(none)).join(), /keeps nothing/);
  await say(none, "notes", "hello");
  await own.stop();
}));

test("whoever opened a session last in IndexedDB owns it: what an older one writes is refused", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/`);
  await ready(tab, "light");
  const found = await tab.run(`import(new URL("backends.js", document.querySelector("script").src).href).then(async ({ indexed }) => {
    const put = async (files, text) => { const handle = await files.open("f"); handle.write(new TextEncoder().encode(text), 0); await handle.flush(); };
    const backend = await indexed();
    const [first, second] = [await backend.files("s"), await backend.files("s")];
    await put(second, "by the second");
    const refused = await put(first, "by the first!").then(() => "done", (error) => error.name);
    const handle = await (await backend.files("s")).open("f");
    return [refused, new TextDecoder().decode(handle.read(0, handle.size()))];
  })`);
  assert.deepEqual(found, ["AbortError", "by the second"]);
}));

test("an agent that stops: the message is given back, and after a restart what was saved is there", () => browsing(async (browser) => {
  const own = await host((_, files) => files.set("worker.js", Buffer.concat([files.get("worker.js"), Buffer.from("\nself.stop = () => (here.agent.exports = { ...here.agent.exports, clawft_start: () => { throw new WebAssembly.RuntimeError('unreachable'); } });\n")])));
  const tab = await browser.tab(at("trap").replace(server.origin, own.origin));
  await ready(tab, "notes");
  await say(tab, "notes", "write a.txt: before");
  await tab.inWorker("stop()");
  await tab.run(`document.getElementById("notes-input").focus()`);
  await tab.type("read a.txt");
  await tab.press("Enter");
  await tab.until(`document.getElementById("banner-trap")`);
  assert.match((await banners(tab)).join(), /has stopped \(unreachable\)\. What was saved is there/);
  assert.equal(await tab.run(`document.getElementById("notes-input").value`), "read a.txt");
  await tab.run("delete document.documentElement.dataset.ready");
  await press(tab, "Restart");
  await ready(tab, "notes");
  await tab.run(`document.getElementById("notes-input").focus()`);
  await tab.press("Enter");
  await tab.until(`document.getElementById("notes-chat").textContent.includes("read_file: before")`);
  await own.stop();
}));

test("a mebibyte of files is restored, and shown before the module has been compiled", () => browsing(async (browser) => {
  const tab = await browser.tab(at("large"));
  await ready(tab, "notes");
  await tab.run(`import(document.querySelector("script").src).then(async ({ app }) => {
    for (let i = 0; i < 16; i += 1) await app("notes").ask("write", { path: "f" + i, bytes: new Uint8Array(65536).fill(i) });
  })`);
  await tab.reload();
  await ready(tab, "notes");
  const { boot } = await ask(tab, "notes", "stats");
  console.log(`# restored after ${(boot.restored - boot.asked).toFixed(1)} ms, ready after ${boot.ready.toFixed(1)} ms`);
  assert.ok((await ask(tab, "notes", "files")).filter(({ bytes }) => bytes === 65536).length === 16);
}));

test("a full disk: it says so, and what was saved stays whole", () => browsing(async (browser) => {
  const own = await host(inWorkers(`const write = FileSystemSyncAccessHandle.prototype.write; self.full = false;
      FileSystemSyncAccessHandle.prototype.write = function (bytes, at) { if (self.full) { write.call(this, bytes.subarray(0, 7), at); throw new DOMException("no room", "QuotaExceededError"); } return write.call(this, bytes, at); };`));
  const tab = await browser.tab(at("full").replace(server.origin, own.origin));
  await ready(tab, "notes");
  await say(tab, "notes", "write a.txt: before");
  await tab.inWorker("self.full = true");
  await say(tab, "notes", "write a.txt: after");
  await tab.until(`document.getElementById("banner-paused")`);
  assert.match((await banners(tab)).join(), /QuotaExceededError.*What was saved before is whole/);
  assert.match(await status(tab), /not saved/);
  await tab.inWorker("self.full = false");
  await press(tab, "Try again");
  await tab.until(`!document.getElementById("banner-paused")`);
  await tab.reload();
  await ready(tab, "notes");
  assert.equal(await say(tab, "notes", "read a.txt"), "read_file: after");
  await own.stop();
}));

test("with a quota of one mebibyte: the status line says so, what was saved is whole, and more room ends it", () => browsing(async (browser) => {
  const own = await host();
  const there = at("quota").replace(server.origin, own.origin);
  const tab = await browser.tab(there);
  const quota = (quotaSize) => tab.send("Storage.overrideQuotaForOrigin", { origin: own.origin, ...(quotaSize && { quotaSize }) });
  await ready(tab, "notes");
  await quota(1024 * 1024);
  let finished = 0;
  while (finished < 40 && !(await banners(tab)).length) {
    await ask(tab, "notes", "say", { text: `write f${finished}.txt: ${"x".repeat(60_000)}` });
    if (!(await banners(tab)).length) finished += 1;
  }
  assert.ok(finished > 2 && finished < 40, `${finished} turns had room`);
  assert.match((await banners(tab)).join(), /QuotaExceededError.*What was saved before is whole/);
  assert.match(await status(tab), /not saved/);
  await press(tab, "Delete old sessions");
  await tab.until(`document.querySelector("#notes-sessions h2")`, "what can be removed, and the export");
  // As after a crash: what was saved is there.
  const second = await browser.tab(there);
  await tab.close();
  await second.until(`document.documentElement.dataset.ready === "notes" || [...document.querySelectorAll("button")].some((one) => one.textContent === "Use here")`);
  if (!(await second.run(`document.documentElement.dataset.ready === "notes"`))) await press(second, "Use here");
  await ready(second, "notes");
  for (let n = 0; n < finished; n += 1) assert.equal((await ask(second, "notes", "read", { path: `f${n}.txt` })) !== undefined, true);
  await second.send("Storage.overrideQuotaForOrigin", { origin: own.origin });
  await say(second, "notes", "write after.txt: there is room");
  await second.reload();
  await ready(second, "notes");
  assert.equal(await say(second, "notes", "read after.txt"), "read_file: there is room");
  await own.stop();
}));

// The text of a file says which turn wrote it: all of the same letter, large enough that it is
// compacted now and then.
const large = (n) => `turn ${n} ${"abcdefghij"[n % 10].repeat(60_000)}`;

test("the renderer is killed at 200 random moments of saving and compacting: one whole generation, and the last save that ended", async () => {
  // In a worker as the agent's is one, with the page's own log, without an agent: a kill takes a
  // tenth of the time.
  const own = await host((_, files) => files.set("saver.js", Buffer.from(`
    import { Store } from "./store.js";
    import { opfs } from "./backends.js";
    import { Tree } from "./tree.js";
    const text = (n) => new TextEncoder().encode("turn " + n + " " + "abcdefghij"[n % 10].repeat(60_000));
    const tree = new Tree();
    const store = await Store.open(await (await opfs()).files("killed"), tree);
    const found = tree.find("f.txt") ? new TextDecoder().decode(tree.read("f.txt")) : "";
    postMessage({ found, generation: store.generation, damaged: store.damaged });
    for (let n = (Number(/^turn (\\d+) /.exec(found)?.[1]) || 0) + 1; ; n += 1) {
      tree.write("f.txt", text(n));
      await store.save();
      await store.running;
      postMessage({ finished: n });
    }`)));
  const rounds = Number(process.env.KILLS ?? 200);
  let [seed, count, compacted, last] = [Number(process.env.KILLS_SEED ?? 11), 0, 0, 0];
  const random = (below) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
  // No renderer in reserve: a kill of all is one of the tab's.
  const browser = start(profile(), ["--disable-features=SpareRendererForSitePerProcess"]);
  for (let round = 0; round <= rounds; round += 1) {
    // What waits for an answer of a renderer that is gone never gets one: a tab for each.
    const one = await browser.tab(`${own.origin}/${own.at.build}/tar.js`, { watch: false });
    await one.run(`globalThis.seen = { finished: 0 }; { const policy = trustedTypes.createPolicy("clawft", { createScriptURL: (url) => url }); const worker = new Worker(policy.createScriptURL("/${own.at.build}/saver.js"), { type: "module" }); worker.onmessage = ({ data }) => Object.assign(seen, data); worker.onerror = ({ message }) => (seen.error = message); } 0`);
    const { found, generation, damaged, error } = await one.until("(seen.found !== undefined || seen.error) && { ...seen }", "the log is open");
    assert.equal(error, undefined);
    if (round) {
      const n = Number(/^turn (\d+) /.exec(found)?.[1]);
      assert.ok(n >= count, `round ${round}: turn ${n}, ${count} had ended`);
      assert.equal(found, large(n), `round ${round}: whole`);
    }
    assert.equal(damaged, false, `round ${round}: nothing is damaged`);
    compacted += generation > last;
    last = generation;
    if (round === rounds) break;
    // Some saves from now on; it goes on saving until the kill comes.
    const more = 1 + random(12);
    const from = Number(/^turn (\d+) /.exec(found)?.[1]) || 0;
    count = await one.until(`seen.finished >= ${from + more} && seen.finished`, "saves");
    const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
    const noticed = one.crashed();
    for (const { type, id } of processInfo) if (type === "renderer") process.kill(id, "SIGKILL");
    await noticed;
    await one.close();
  }
  assert.ok(compacted > rounds / 20, `${compacted} of ${rounds} times another generation`);
  console.log(`# ${rounds} kills, ${count} saves, ${last} generations`);
  await browser.stop();
  forget(browser.folder);
  await own.stop();
});

test("the whole browser is killed while turns are saved: the last finished turn is there", async () => {
  const rounds = 5;
  const folder = profile();
  let [count, seed] = [0, Number(process.env.KILLS_SEED ?? 11)];
  const random = (below) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
  for (let round = 0; round <= rounds; round += 1) {
    const browser = start(folder);
    const tab = await browser.tab(at("killed"), { watch: false });
    await ready(tab, "notes");
    const found = await tab.run(`import(document.querySelector("script").src).then(({ app }) => app("notes").ask("read", { path: "f.txt" })).then((bytes) => new TextDecoder().decode(bytes), () => "")`);
    if (round) {
      const n = Number(/^turn (\d+) /.exec(found)?.[1]);
      assert.ok(n >= count, `round ${round}: turn ${n}, ${count} were finished`);
      assert.equal(found, large(n), `round ${round}: whole`);
      count = n;
    }
    assert.deepEqual(await banners(tab), [], "nothing is damaged");
    if (round === rounds) {
      await browser.stop();
      break;
    }
    await tab.run(`globalThis.finished = ${count}; import(document.querySelector("script").src).then(async ({ app }) => {
      for (let n = ${count + 1}; ; n += 1) {
        await app("notes").ask("say", { session: "s" + (n % 3), text: "write f.txt: turn " + n + " " + "abcdefghij"[n % 10].repeat(60000) });
        globalThis.finished = n;
      }
    }); 0`);
    count = await tab.until(`globalThis.finished >= ${count + 1 + random(20)} && globalThis.finished`);
    await browser.kill();
  }
  console.log(`# ${rounds} kills, ${count} turns`);
  forget(folder);
});

// Host calls in Chromium: a provider that streams, its key, kills while it is asked, agents in
// workers of their own, files and keys.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bundle } from "./bundle.mjs";
import { forget, profile, start } from "./browser.mjs";
import { ask, browsing, host, open, press, ready, say, shown } from "./setup.mjs";

const SECRET = "sk-test-0123456789abcdef";
const asked = [];
let waiting = [];
// What the provider does with the next request: answers, or keeps it open.
let mood = "answer";
// Answers that it keeps open.
let held = [];
const provider = createServer((request, response) => {
  const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "*, authorization, content-type", "access-control-allow-methods": "*" };
  if (request.method === "OPTIONS") return void response.writeHead(204, cors).end();
  const parts = [];
  request.on("data", (data) => parts.push(data));
  request.on("end", async () => {
    const seen = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(parts).toString(), closed: false };
    asked.push(seen);
    response.on("close", () => (seen.closed = !response.writableEnded));
    waiting.splice(0).forEach((done) => done());
    if (request.url.startsWith("/redirect")) return response.writeHead(302, { ...cors, location: "/elsewhere" }).end();
    if (mood === "silent") return void held.push(response);
    if (request.method === "GET") return response.writeHead(200, { ...cors, "content-type": "text/plain" }).end("what the page says");
    const question = JSON.parse(seen.body || "{}").messages?.at(-1)?.content ?? "";
    response.writeHead(200, { ...cors, "content-type": "text/event-stream" });
    const event = (delta, finish = null) => response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`);
    event({ role: "assistant", content: `You said: ${question}. ` });
    if (mood === "half") return;
    event({ content: "That is all." });
    event({}, "stop");
    response.end("data: [DONE]\n\n");
  });
});
// Until the provider has been asked this often; who never asks is a failure, not a wait for ever.
const until = async (count) => {
  let late;
  const never = new Promise((_, reject) => (late = setTimeout(() => reject(new Error(`asked ${asked.length} times, not ${count}`)), 20_000)));
  while (asked.length < count) await Promise.race([new Promise((done) => waiting.push(done)), never]);
  clearTimeout(late);
};

let server, origin;
const manifest = (more = () => undefined) => (made, files) => {
  const { online, team, notes } = made.examples;
  // An agent that reads pages, and whose turns go on after a crash.
  notes.config = { web: { allow: [origin] } };
  Object.assign(notes.optimizations, { snapshot: true, hypercalls: ["host_fetch", "host_snapshot"] });
  notes.grants = { fetch: { origins: [origin], methods: ["GET"] }, snapshot: { max: 2 } };
  online.config = { model: "m", providers: [{ name: "p", kind: "openai", base_url: `${origin}/v1`, credential: "key" }] };
  Object.assign(online.optimizations, { hypercalls: ["host_fetch", "host_crypto"] });
  online.grants.fetch = { origins: [origin], methods: ["POST", "GET"] };
  team.optimizations.hypercalls = ["host_spawn", "host_fs_write", "host_fs_read", "host_crypto", "host_snapshot", "host_tool", "host_fetch"];
  Object.assign(team.grants, { fs: { paths: ["out/"], maxBytes: 1000 }, crypto: { do: ["random", "digest", "sign", "verify", "encrypt", "decrypt"], keys: ["k"] }, snapshot: { max: 2 }, tool: { names: ["about_browser"] }, fetch: { origins: [origin], methods: ["GET"] } });
  files.set("worker.js", Buffer.concat([files.get("worker.js"), Buffer.from("\nself.heap = () => new TextDecoder('latin1').decode(here.agent.memory);\n")]));
  more(made, files);
};
before(async () => {
  await new Promise((done) => provider.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${provider.address().port}`;
  server = await host(manifest());
});
after(async () => {
  await server.stop();
  provider.closeAllConnections();
  provider.close();
});

const at = (session, example = "online", on = server) => `${on.origin}/?example=${example}&session=${session}`;

async function withKey(tab, remember = false) {
  await ready(tab, "online");
  await tab.until(`document.getElementById("online-key")`, "the key is asked for");
  await tab.run(`document.getElementById("online-key").focus()`);
  await tab.type(SECRET);
  if (remember) await tab.run(`document.querySelector(".key [type=checkbox]").click()`);
  await press(tab, "Use key");
  await tab.until(`!document.getElementById("online-key")`);
}

// Everything that the page's origin keeps, as text.
const KEPT = `(async () => {
  const found = [];
  const walk = async (folder) => { for await (const entry of folder.values()) entry.kind === "file" ? found.push(new TextDecoder("latin1").decode(await (await entry.getFile()).arrayBuffer())) : await walk(entry); };
  await walk(await navigator.storage.getDirectory());
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => { const request = indexedDB.open(name); request.onsuccess = () => done(request.result); });
    for (const store of db.objectStoreNames) {
      const all = await new Promise((done) => { const request = db.transaction(store).objectStore(store).getAll(); request.onsuccess = () => done(request.result); });
      const plain = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? new TextDecoder("latin1").decode(value) : value instanceof CryptoKey ? "key, extractable: " + value.extractable : typeof value === "object" && value ? Object.values(value).map(plain).join() : String(value);
      found.push(...all.map(plain));
    }
    db.close();
  }
  for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) found.push(await (await caches.match(request)).text());
  return [...found, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), location.href, document.documentElement.outerHTML].join("\\n");
})()`;

test("a provider answers bit by bit; its key is in no other place than the requests to it", () => browsing(async (browser) => {
  mood = "answer";
  const tab = await browser.tab(at("keyed"));
  await ready(tab, "online");
  assert.match(await say(tab, "online", "hello"), /there is no key/);
  assert.equal(asked.length, 0);
  await withKey(tab, true);
  await tab.run(`{ const live = document.querySelector("#online-chat [aria-live=polite]"); globalThis.told = []; new MutationObserver(() => told.push(live.textContent)).observe(live, { childList: true }); }`);
  assert.equal(await say(tab, "online", "how are you?"), "You said: how are you?. That is all.");
  assert.deepEqual((await tab.run("told")).map((one) => one.trim()).join("|").replace("You said: how are you?.|", "You said: how are you?. "), "You said: how are you?. That is all.", "read aloud by the sentence, each once");
  assert.match(await tab.run(`[...document.querySelectorAll("#online-chat details summary")].at(-1).textContent`), /^Host call host_fetch: \d+ ms, \d.* out, \d.* in$/);
  assert.equal(asked.at(-1).headers.authorization, `Bearer ${SECRET}`);
  assert.equal(asked.at(-1).headers.cookie, undefined);
  const kept = await tab.run(KEPT);
  assert.ok(kept.includes("how are you?"), "the session is among what was looked at");
  assert.ok(kept.includes("key, extractable: false"));
  for (const [where, found] of [["storage", kept], ["the agent's memory", await tab.inWorker("heap()")], ["requests to the page's own host", JSON.stringify(server.seen)], ["the console", JSON.stringify(tab.complaints)]]) {
    assert.ok(!found.includes(SECRET), `the key is in ${where}`);
  }
  // It is remembered, and forgotten where it was not to be.
  await tab.reload();
  await ready(tab, "online");
  assert.equal(await tab.run(`document.getElementById("online-key")`), null);
  assert.match(await say(tab, "online", "again"), /You said: again/);
  await open(tab, "online", "stats");
  await press(tab, "Forget the key key, which is remembered");
  await tab.until(`document.getElementById("online-key")`);
  await tab.reload();
  await ready(tab, "online");
  await tab.until(`document.getElementById("online-key")`);
}));

test("Escape cancels: the request ends, the session goes on", () => browsing(async (browser) => {
  const tab = await browser.tab(at("cancelled"));
  await withKey(tab);
  mood = "half";
  const count = asked.length;
  const busy = tab.run(`import(document.querySelector("script").src).then(({ app }) => Promise.race([app("online").ask("say", { session: "a", text: "one" }).then(() => undefined), app("online").ask("say", { session: "b", text: "two" })]))`);
  assert.equal((await busy).error.code, "busy", "as many turns as granted, which is one");
  await until(count + 1);
  await ask(tab, "online", "cancel", { session: "a" });
  await tab.run(`document.getElementById("online-input").focus()`);
  await tab.type("tell me");
  await tab.press("Enter");
  await tab.until(`document.getElementById("online-chat").textContent.includes("You said: tell me")`, "the first half is shown");
  await tab.press("Escape");
  await tab.until(`document.getElementById("online-chat").textContent.includes("cancelled")`);
  assert.equal(asked.length, count + 2);
  mood = "answer";
  assert.match(await say(tab, "online", "hello again"), /hello again/);
  assert.equal(asked[count + 1].closed, true, "the connection was closed");
}));

// Kills the browser while the other side is silent; gives what the next one shows, and how often that
// side was asked.
async function killed(example, session, message) {
  const folder = profile();
  let browser = start(folder);
  let tab = await browser.tab(at(session, example));
  if (example === "online") await withKey(tab, true);
  else await ready(tab, example);
  mood = "answer";
  await say(tab, example, "before");
  mood = "silent";
  const count = asked.length;
  await tab.run(`document.getElementById("${example}-input").focus()`);
  await tab.type(message);
  await tab.press("Enter");
  await until(count + 1);
  await browser.kill();
  mood = "answer";
  browser = start(folder);
  tab = await browser.tab(at(session, example));
  await ready(tab, example);
  const found = { tab, browser, count };
  return { ...found, async stop() {
    await browser.stop();
    forget(folder);
  } };
}

test("killed while a request is open: a POST is not sent again, and the message is given back", async () => {
  const { tab, count, stop } = await killed("online", "once", "pay once");
  await tab.until(`document.getElementById("online-chat").textContent.includes("not sent a second time")`);
  assert.equal(asked.length, count + 1);
  assert.equal(await tab.run(`document.getElementById("online-input").value`), "pay once");
  assert.match((await shown(tab, "online")).join(), /You said: before/);
  await tab.run(`document.getElementById("online-input").value = ""`);
  assert.match(await say(tab, "online", "and on"), /You said: and on/);
  assert.equal(asked.length, count + 2);
  await stop();
});

test("… a GET is sent once more, and the turn goes on where it was", async () => {
  const { tab, count, stop } = await killed("notes", "twice", `fetch ${origin}/page`);
  await tab.until(`document.getElementById("notes-chat").textContent.includes("what the page says")`);
  assert.deepEqual(asked.slice(count).map(({ method, url }) => `${method} ${url}`), ["GET /page", "GET /page"]);
  await tab.reload();
  await ready(tab, "notes");
  const all = (await shown(tab, "notes")).join();
  assert.equal(all.split(`user: fetch ${origin}/page`).length, 2, "the turn is there once");
  assert.match(all, /what the page says/);
  assert.equal(asked.length, count + 2, "and no third time");
  await stop();
});

const call = (tab, op, head, body = "") => tab.run(`import(document.querySelector("script").src).then(async ({ app }) => {
  const parts = await app("team").ask("call", { op: ${op}, head: ${JSON.stringify(head)}, body: ${typeof body === "string" ? `new TextEncoder().encode(${JSON.stringify(body)})` : `new Uint8Array(${JSON.stringify(body)})`} });
  const end = parts.at(-1);
  return { status: end.status, head: end.head, text: new TextDecoder().decode(end.body), bytes: [...(end.body ?? [])] };
})`);

test("agents in workers of their own: two at a time, no more than granted, and less than their parent may", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/?example=team`);
  await ready(tab, "team");
  const spawned = (message, config = {}) => ({ config, session: "child", message });
  const first = await call(tab, 503, spawned("read notes/welcome.txt"));
  assert.equal(first.status, 0);
  assert.match(JSON.parse(first.text).message.content, /not_found|no file|there is no/, "it has files of its own");
  // Side by side: each asks before the other one has its answer.
  const web = { web: { allow: [origin] } };
  mood = "silent";
  const count = asked.length;
  const both = Promise.all(["one", "two"].map((page) => call(tab, 503, spawned(`fetch ${origin}/${page}`, web))));
  await until(count + 2);
  assert.deepEqual(asked.slice(count).map(({ url }) => url).sort(), ["/one", "/two"]);
  assert.ok(asked.slice(count).every(({ closed }) => !closed), "both are open at a time");
  assert.equal((await call(tab, 503, spawned("hello"))).status, -36, "and no third one beside them");
  mood = "answer";
  held.splice(0).forEach((response) => response.writeHead(200, { "access-control-allow-origin": "*", "content-type": "text/plain" }).end("for a child"));
  for (const { status, text } of await both) assert.match(`${status} ${text}`, /^0 .*for a child/);
  // What its parent may not, it may not either, whatever its configuration says; nor has it what its
  // parent has for itself alone.
  const from = asked.length;
  const provider = { model: "m", providers: [{ name: "p", kind: "openai", base_url: `${origin}/v1` }] };
  assert.match((await call(tab, 503, spawned("a POST", provider))).text, /"ok":false/);
  const foreign = { web: { allow: ["http://localhost:1"] } };
  assert.match((await call(tab, 503, spawned("fetch http://localhost:1/", foreign))).text, /not granted|denied|not_allowed/);
  assert.equal(asked.length, from, "nothing was asked");
  assert.equal((await call(tab, 503, { config: { model: 3 }, message: "x" })).status, -29);
  assert.equal((await call(tab, 503, {})).status, -14);
  assert.deepEqual(tab.complaints, []);
}));

const timeless = (answer) => JSON.stringify(answer).replace(/"(\w*(?:time|_ms|at))":\d+/g, '"$1":0');

test("505: save, ten turns, restore: the same answers as the first time; an image of another module is refused", () => browsing(async (browser) => {
  const own = await host(manifest());
  const there = at("image", "notes", own);
  let tab = await browser.tab(there);
  await ready(tab, "notes");
  await say(tab, "notes", "write kept.txt: before");
  const snapshot = (head) => tab.run(`import(document.querySelector("script").src).then(({ app }) => app("notes").ask("call", { op: 505, head: ${JSON.stringify(head)} })).then((parts) => parts.at(-1) ?? null)`);
  const talk = async () => {
    const answers = [];
    for (let i = 0; i < 10; i += 1) answers.push(timeless(await ask(tab, "notes", "say", { text: i % 2 ? "read kept.txt" : `write kept.txt: turn ${i}` })));
    return answers;
  };
  assert.equal((await snapshot({ do: "save", name: "one" })).status, 0);
  const first = await talk();
  assert.equal(new Set(first).size, 10, "each answer is another");
  const files = () => ask(tab, "notes", "files").then((all) => all.filter(({ path }) => path.startsWith(".clawft/sessions")).map(({ path, bytes }) => [path, bytes]));
  const after = await files();
  assert.equal(await snapshot({ do: "restore", name: "one" }), null, "what waits is answered in the image");
  assert.equal(await say(tab, "notes", "read kept.txt"), "read_file: before");
  await snapshot({ do: "restore", name: "one" });
  assert.deepEqual(await talk(), first);
  assert.deepEqual(await files(), after);
  // It outlives the page; on another module it is refused, and what is in the files goes on.
  await tab.run(`navigator.serviceWorker.ready.then((one) => one.unregister())`);
  await tab.close();
  const wasm = join(own.at.folder, "changed.wasm");
  writeFileSync(wasm, Buffer.concat([readFileSync(process.env.REACTOR), Buffer.from([0, 2, 1, 120])]));
  Object.assign(own.at, bundle(wasm, own.at.folder, manifest()));
  tab = await browser.tab(there);
  await ready(tab, "notes");
  const refused = await snapshot({ do: "restore", name: "one" });
  assert.equal(refused.status, -29);
  assert.match(refused.head.message, /is of the module [0-9a-f]{64}/);
  assert.equal(await say(tab, "notes", "read kept.txt"), "read_file: turn 8");
  await own.stop();
}));

test("files beside the agent's, keys that stay, tools of the host: granted and denied", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/?example=team`);
  await ready(tab, "team");
  const written = await call(tab, 501, { path: "out/a.txt" }, "hello");
  assert.deepEqual([written.status, written.head.bytes], [0, 5]);
  assert.equal((await call(tab, 501, { path: "out/a.txt", mode: "append" }, " you")).head.bytes, 9);
  const read = await call(tab, 502, { path: "out/a.txt", offset: 6, length: 3 });
  assert.deepEqual([read.text, read.head.bytes], ["you", 9]);
  assert.equal((await call(tab, 501, { path: "out/a.txt", if: "5-1" }, "x")).status, -34);
  assert.deepEqual((await call(tab, 502, { path: "out", do: "list" })).head.entries, [{ name: "a.txt", folder: false }]);
  for (const [head, status] of [[{ path: "in/a" }, -36], [{ path: "out/../a" }, -14], [{ path: "/out/a" }, -14], [{ path: "out/none" }, -16]]) assert.equal((await call(tab, 502, head)).status, status, head.path);
  assert.equal((await call(tab, 501, { path: "out/b" }, "x".repeat(1001))).status, -19);
  assert.equal((await call(tab, 501, { path: "out/a.txt", mode: "remove" })).status, 0);
  assert.equal((await call(tab, 502, { path: "out/a.txt", do: "stat" })).status, -16);
  const sealed = await call(tab, 504, { do: "encrypt", key: "k" }, "between us");
  assert.equal((await call(tab, 504, { do: "decrypt", key: "k" }, sealed.bytes)).text, "between us");
  sealed.bytes[20] ^= 1;
  assert.equal((await call(tab, 504, { do: "decrypt", key: "k" }, sealed.bytes)).status, -29);
  const signature = Buffer.from((await call(tab, 504, { do: "sign", key: "k" }, "text")).bytes).toString("hex");
  assert.equal((await call(tab, 504, { do: "verify", key: "k", signature }, "text")).head.valid, true);
  assert.equal((await call(tab, 504, { do: "verify", key: "k", signature }, "other")).head.valid, false);
  assert.match((await call(tab, 506, { name: "about_browser" })).head.output, /"language"/);
  // A redirect, and what is not granted.
  assert.equal((await call(tab, 500, { url: `${origin}/redirect` })).status, -29);
  assert.ok(!asked.some(({ url }) => url === "/elsewhere"));
  assert.equal((await call(tab, 500, { url: "https://example.com/" })).status, -36);
  assert.equal((await call(tab, 599, {})).status, -24);
  // An image of the agent by hand.
  const image = await call(tab, 505, { do: "save", name: "one" });
  assert.ok(image.status === 0 && image.head.bytes > 100 && image.head.bytes < 20_000, JSON.stringify(image.head));
  await say(tab, "team", "write later.txt: x");
  await tab.run(`import(document.querySelector("script").src).then(({ app }) => app("team").ask("call", { op: 505, head: { do: "restore", name: "one" } })).then((parts) => parts.length)`);
  assert.match(await say(tab, "team", "read later.txt"), /no file|not_found|there is no/);
}));

// Host calls in Chromium: a provider that streams, its key, kills while it is asked, agents in
// workers of their own, files and keys.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { forget, profile, start } from "./browser.mjs";
import { ask, browsing, host, open, press, ready, say, shown } from "./setup.mjs";

const SECRET = "sk-test-0123456789abcdef";
const asked = [];
let waiting = [];
// What the provider does with the next request: answers, or keeps it open.
let mood = "answer";
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
    if (mood === "silent") return;
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
// Until the provider has been asked this often.
const until = async (count) => {
  while (asked.length < count) await new Promise((done) => waiting.push(done));
};

let server, origin;
const manifest = (more = () => undefined) => (made, files) => {
  const { online, team } = made.examples;
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

// Kills the browser while the provider is silent; gives what the next one shows, and how often the
// provider was asked.
async function killed(on, session) {
  const folder = profile();
  let browser = start(folder);
  let tab = await browser.tab(at(session, "online", on));
  await withKey(tab, true);
  mood = "answer";
  await say(tab, "online", "before");
  mood = "silent";
  const count = asked.length;
  await tab.run(`document.getElementById("online-input").focus()`);
  await tab.type("pay once");
  await tab.press("Enter");
  await until(count + 1);
  await browser.kill();
  mood = "answer";
  browser = start(folder);
  tab = await browser.tab(at(session, "online", on));
  await ready(tab, "online");
  const found = { tab, browser, count };
  return { ...found, async stop() {
    await browser.stop();
    forget(folder);
  } };
}

test("killed while a request is open: a POST is not sent again, and the message is given back", async () => {
  const { tab, count, stop } = await killed(server, "once");
  await tab.until(`document.getElementById("online-chat").textContent.includes("not sent a second time")`);
  assert.equal(asked.length, count + 1);
  assert.equal(await tab.run(`document.getElementById("online-input").value`), "pay once");
  assert.match((await shown(tab, "online")).join(), /You said: before/);
  await tab.run(`document.getElementById("online-input").value = ""`);
  assert.match(await say(tab, "online", "and on"), /You said: and on/);
  assert.equal(asked.length, count + 2);
  await stop();
});

test("… what may be repeated is sent once more, and the turn goes on where it was", async () => {
  const own = await host(manifest((_, files) => files.set("op-fetch.js", Buffer.from(files.get("op-fetch.js").toString().replace(/repeatable: .*\n/, "repeatable: true,\n")))));
  const { tab, count, stop } = await killed(own, "twice");
  await tab.until(`document.getElementById("online-chat").textContent.includes("You said: pay once. That is all.")`);
  assert.equal(asked.length, count + 2);
  assert.equal(asked.at(-1).body, asked.at(-2).body);
  await tab.reload();
  await ready(tab, "online");
  assert.match((await shown(tab, "online")).join(), /pay once.*You said: pay once. That is all./);
  assert.equal(asked.length, count + 2);
  await stop();
  await own.stop();
});

const call = (tab, op, head, body = "") => tab.run(`import(document.querySelector("script").src).then(async ({ app }) => {
  const parts = await app("team").ask("call", { op: ${op}, head: ${JSON.stringify(head)}, body: ${typeof body === "string" ? `new TextEncoder().encode(${JSON.stringify(body)})` : `new Uint8Array(${JSON.stringify(body)})`} });
  const end = parts.at(-1);
  return { status: end.status, head: end.head, text: new TextDecoder().decode(end.body), bytes: [...(end.body ?? [])] };
})`);

test("agents in workers of their own: two at a time, no more than granted, and less than their parent may", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/?example=team`);
  await ready(tab, "team");
  const spawned = (message) => ({ config: {}, session: "child", message });
  const first = await call(tab, 503, spawned("read notes/welcome.txt"));
  assert.equal(first.status, 0);
  assert.match(JSON.parse(first.text).message.content, /not_found|no file|there is no/, "it has files of its own");
  const time = async (count) => {
    const start = performance.now();
    await Promise.all(Array.from({ length: count }, () => call(tab, 503, spawned("hello"))));
    return performance.now() - start;
  };
  console.log(`# spawned: one ${(await time(1)).toFixed(0)} ms, two at a time ${(await time(2)).toFixed(0)} ms`);
  const three = await Promise.all(["a", "b", "c"].map((one) => call(tab, 503, spawned(`hello ${one}`))));
  assert.deepEqual(three.map(({ status }) => status).sort(), [-36, 0, 0]);
  assert.equal((await call(tab, 503, { config: { model: 3 }, message: "x" })).status, -29);
  assert.equal((await call(tab, 503, {})).status, -14);
  assert.deepEqual(tab.complaints, []);
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

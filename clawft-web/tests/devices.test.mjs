// Two profiles as two devices, over a server that holds segments: paired by a link, apart, together
// again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, browsing, host, open, press, ready, say, shown } from "./setup.mjs";
import { space } from "./space.mjs";

const server = space();
let site;
before(async () => (site = await host(undefined, server.serve)));
after(async () => {
  server.release();
  await site.stop();
});

const at = (session) => `${site.origin}/?example=devices&session=${session}`;
const state = async (tab) => (await ask(tab, "devices", "stats")).sync;

test("a link pairs two devices; offline on both sides, then the same on both; no server has seen a word or the key", () => browsing((first) => browsing(async (second) => {
  const a = await first.tab(at("here"));
  await ready(a, "devices");
  await say(a, "devices", "remember colour: green");
  await say(a, "devices", "write notes/a.txt: the blue word");
  await open(a, "devices", "sessions");
  await press(a, "Turn sync on");
  await a.until(`document.getElementById("devices-link")`, "the pairing link");
  const link = await a.run(`document.getElementById("devices-link").value`);
  const key = link.split("#pair=")[1];
  assert.equal(await a.run(`document.querySelector("#devices-sessions svg[role=img]").getAttribute("aria-label")`), "QR code of the pairing link");
  assert.match(link, /example=devices#pair=[\w-]{43}$/);
  const b = await second.tab(link.replace("?", "?session=there&"));
  await ready(b, "devices");
  assert.ok(!(await b.run("location.href")).includes(key), "the key has left the address");
  await b.until(`document.getElementById("devices-chat").textContent.includes("the blue word") || document.getElementById("devices-chat").textContent.includes("notes/a.txt")`, "what the other one said");
  assert.match(await say(b, "devices", "recall colour"), /green/);
  assert.match(await say(b, "devices", "read notes/a.txt"), /the blue word/);
  await a.until(`document.getElementById("devices-chat").textContent.includes("recall colour")`, "it comes back");
  // Both are offline.
  server.down = true;
  await a.run(`document.getElementById("devices-tab-chat").click()`);
  await say(a, "devices", "write notes/both.txt: of a");
  await say(b, "devices", "write notes/both.txt: of b");
  await a.until(`true`);
  assert.ok((await state(b)).error, "it says that it waits");
  server.down = false;
  for (const tab of [a, b, a, b]) await ask(tab, "devices", "sync", { now: true });
  const all = (tab) => tab.run(`import(document.querySelector("script").src).then(async ({ app }) => {
    const files = await app("devices").ask("files");
    return Promise.all(files.filter((one) => !one.folder).map(async ({ path }) => path + ": " + new TextDecoder().decode(await app("devices").ask("read", { path })))).then((found) => found.sort());
  })`);
  const [ofA, ofB] = [await all(a), await all(b)];
  assert.deepEqual(ofA, ofB);
  const text = ofA.join("\n");
  assert.match(text, /both\.txt: of [ab]/);
  assert.match(text, /both\.txt\.conflict-\w+: of [ab]/);
  assert.match(text, /sessions\/main\.\w+\.json/);
  assert.equal([...text.matchAll(/"write notes\/both.txt: of [ab]"/g)].length, 2, "nobody loses a turn");
  // The branch is shown beside it, and goes on.
  const branch = await a.run(`[...document.querySelectorAll("#devices-conversation option")].map((one) => one.value).find((one) => one.startsWith("main."))`);
  await a.run(`{ const at = document.getElementById("devices-conversation"); at.value = ${JSON.stringify(branch)}; at.dispatchEvent(new Event("change")); }`);
  await a.until(`document.getElementById("devices-chat").textContent.includes("both.txt")`);
  assert.match(await say(a, "devices", "history"), /both\.txt/);
  // After a reload it is still paired.
  await b.reload();
  await ready(b, "devices");
  await ask(b, "devices", "sync", { now: true });
  assert.equal((await state(b)).link.split("#pair=")[1], key);
  await b.until(`true`);
  assert.deepEqual(await all(b), await all(a));
  const seen = JSON.stringify([site.seen, server.seen]) + [...server.segments.values()].map((one) => Buffer.from(one).toString("latin1")).join("");
  for (const word of [key, "blue", "colour"]) assert.ok(!seen.includes(word), `${word} on the server`);
  for (const tab of [a, b]) assert.deepEqual(tab.complaints.filter((one) => !/ERR_EMPTY_RESPONSE|ERR_INTERNET|Failed to load resource/.test(one)), []);
})));

test("a wrong key and one that is none; sync off stays off", () => browsing(async (browser) => {
  const tab = await browser.tab(at("wrong"));
  await ready(tab, "devices");
  await open(tab, "devices", "sessions");
  await tab.run(`document.getElementById("devices-pair").value = "nonsense"`);
  await press(tab, "Pair");
  await tab.until(`[...document.querySelectorAll(".banner p")].some((one) => one.textContent.includes("no pairing link"))`);
  const before = server.segments.size;
  await tab.run(`document.getElementById("devices-tab-chat").click()`);
  await say(tab, "devices", "hello", "hello");
  assert.equal(server.segments.size, before, "off: nothing is sent");
}));

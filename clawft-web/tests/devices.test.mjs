// Two profiles as two devices, over `weft serve` where `SYNC` says where one is, else over one in
// memory: paired by a link, apart, together again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, browsing, host, open, press, ready, say, shown } from "./setup.mjs";
import { space, through } from "./space.mjs";

const server = process.env.SYNC ? through(process.env.SYNC) : space();
let site;
// A base after few segments: more than there are in the first test.
const early = (_, files) => files.set("sync.js", Buffer.from(files.get("sync.js").toString().replace("BASE_AFTER = 64", "BASE_AFTER = 12")));
before(async () => (site = await host(early, server.serve)));
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
  // Together again. The answer to the first segment is lost: it is there when it is sent once more,
  // and nothing comes twice.
  server.statuses.splice(0);
  [server.down, server.lose] = [false, 1];
  for (const tab of [a, b, a, b]) await ask(tab, "devices", "sync", { now: true }).catch(() => undefined);
  for (const tab of [a, b]) await ask(tab, "devices", "sync", { now: true });
  assert.equal(server.lose, 0);
  assert.equal(server.statuses.filter((one) => one === "PUT 412").length, 1, server.statuses.join());
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

test("many segments become a base, which a third device begins with", () => browsing((first) => browsing(async (second) => {
  const a = await first.tab(at("many"));
  await ready(a, "devices");
  await ask(a, "devices", "sync", { on: true });
  for (let i = 1; i <= 14; i += 1) {
    await ask(a, "devices", "say", { text: `write n${i}.txt: ${i}` });
    await ask(a, "devices", "sync", { now: true });
  }
  const { link, device } = await state(a);
  const [space] = [...server.segments.keys()].findLast((name) => name.includes(`/${device}/`)).split("/");
  const base = server.seen.filter(({ method, path }) => method === "PUT" && path.startsWith(`${space}/${device}/`) && path.endsWith(".base"));
  assert.equal(base.length, 1, "one base");
  const from = server.seen.length;
  const b = await second.tab(link.replace("?", "?session=late&"));
  await ready(b, "devices");
  await b.until(`document.getElementById("devices-chat").textContent.includes("n14.txt")`, "all of it");
  assert.match(await say(b, "devices", "read n1.txt"), /read_file: 1$/);
  const read = server.seen.slice(from).filter(({ method, path }) => method === "GET" && path.startsWith(`${space}/${device}/`));
  assert.ok(read.length < 8, `${read.length} segments were read`);
  // Who knows where it is, and has another token, gets nothing.
  for (const path of ["heads", `${device}/0000000000000001`]) {
    const answer = await fetch(`${site.origin}/sync/v1/${space}/${path}`, { headers: { authorization: "Bearer another" } });
    assert.equal(answer.status, 403, path);
  }
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

// The page in Chromium: the transcript, what comes over the network, the policy, the keyboard, the
// looks, offline and a new version.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { bundle } from "./bundle.mjs";
import { contrast, decode } from "./png.mjs";
import { ask, banners, browsing, host, open, press, ready, say, shown, status } from "./setup.mjs";
import { Agent } from "../www/steps.js";
import { Tree } from "../www/tree.js";

const transcript = JSON.parse(readFileSync(new URL("../../clawft-wasm/tests/transcript.json", import.meta.url)));
const timeless = (text) => text.replace(/"(\w*(?:time|_ms|at))":\d+/g, '"$1":0');
const pictures = process.env.PICTURES;

let server;
before(async () => (server = await host()));
after(() => server.stop());

const keep = async (tab, name) => {
  const png = await tab.picture();
  if (pictures) {
    mkdirSync(pictures, { recursive: true });
    writeFileSync(join(pictures, `${name}.png`), png);
  }
};

test("the transcript answers in Chromium as in node", () => browsing(async (browser) => {
  const agent = new Agent(new WebAssembly.Module(readFileSync(process.env.REACTOR)), new Tree());
  agent.ask("clawft_init", JSON.stringify(transcript.config));
  const tab = await browser.tab(`${server.origin}/?example=light`);
  await ready(tab, "light");
  let same = 0;
  for (const { session, message } of transcript.messages) {
    const task = agent.start(session, message);
    const expected = new TextDecoder().decode(task > 0 ? agent.poll(task).bytes : agent.last());
    const answer = await ask(tab, "light", "say", { session, text: message });
    assert.equal(timeless(JSON.stringify(answer)), timeless(JSON.stringify(JSON.parse(expected))), message);
    same += 1;
  }
  assert.equal(same, transcript.messages.length);
  const files = await ask(tab, "light", "files");
  assert.ok(files.some(({ path }) => path === "notes/plan.txt"));
  assert.deepEqual(tab.complaints, []);
}));

test("the light example loads what it uses and no more, and its sizes are these", () => browsing(async (browser) => {
  const from = server.seen.length;
  const tab = await browser.tab(`${server.origin}/`);
  await ready(tab, "light");
  await say(tab, "light", "hello", "hello");
  const names = [...new Set(tab.requests.filter(({ by }) => by !== "service_worker").map(({ url }) => new URL(url).pathname.split("/").pop()))].filter((name) => name !== "service-worker.js").sort();
  assert.deepEqual(names, ["", "agent.wasm", "chat.js", "element.js", "page.js", "plan.json", "steps.js", "style.css", "tree.js", "turns.js", "wasi.js", "worker.js"]);
  assert.equal(await tab.run("indexedDB.databases().then((all) => all.length)"), 0, "no storage is opened");
  const folder = join(server.at.folder, server.at.build);
  const sizes = names.map((name) => {
    const bytes = readFileSync(name ? join(folder, name) : join(server.at.folder, "index.html"));
    return { name: name || "index.html", raw: bytes.length, brotli: brotliCompressSync(bytes).length, gzip: gzipSync(bytes, { level: 9 }).length };
  });
  const sum = (all, key) => all.reduce((total, one) => total + one[key], 0);
  const own = sizes.filter(({ name }) => name !== "agent.wasm");
  for (const { name, raw, brotli, gzip } of sizes) console.log(`# ${name}: ${raw} raw, ${brotli} brotli, ${gzip} gzip`);
  console.log(`# page and worker: ${sum(own, "brotli")} brotli, ${sum(own, "gzip")} gzip; before the first answer: ${sum(sizes, "brotli")} brotli, ${sum(sizes, "gzip")} gzip`);
  assert.ok(sum(own, "brotli") <= 24 * 1024, "page and worker within 24 KiB brotli");
  assert.ok(sizes.find(({ name }) => name === "wasi.js").gzip <= 3 * 1024, "the shim within 3 KiB gzip");
  assert.ok(server.seen.slice(from).every(({ headers }) => headers.cookie === undefined));
  assert.deepEqual(tab.complaints, []);
}));

test("the policy: eval, a foreign script, an origin that is not granted, markup, a worker of somebody else", () => browsing(async (browser) => {
  const other = await host();
  const tab = await browser.tab(`${server.origin}/`);
  await ready(tab, "light");
  assert.deepEqual(tab.complaints, [], "no complaint in a normal run");
  await tab.send("Log.disable");
  const found = await tab.run(`(async () => {
    const seen = [];
    document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
    const tried = {};
    const attempt = async (name, run) => { try { tried[name] = await run(); } catch (error) { tried[name] = error.name; } };
    await attempt("eval", () => (0, eval)("1"));
    await attempt("function", () => new Function("return 1")());
    await attempt("markup", () => { document.body.innerHTML = "<b>x</b>"; return "done"; });
    await attempt("worker", () => { new Worker("./worker.js"); return "done"; });
    await attempt("policy", () => { trustedTypes.createPolicy("other", {}); return "done"; });
    await attempt("fetch", () => fetch("${other.origin}/audit.json").then(() => "done"));
    await attempt("script", () => import("${other.origin}/${other.at.build}/tar.js").then(() => "done"));
    await attempt("inline", () => { const script = document.createElement("script"); try { script.text = "globalThis.hacked = 1"; } catch { } document.body.append(script); return String(globalThis.hacked); });
    await attempt("style", () => { const style = document.createElement("style"); style.textContent = "body { display: none }"; document.body.append(style); return getComputedStyle(document.body).display; });
    return { tried, seen: [...new Set(seen)] };
  })()`);
  assert.deepEqual(found.tried, { eval: "EvalError", function: "EvalError", markup: "TypeError", worker: "TypeError", policy: "TypeError", fetch: "TypeError", script: "TypeError", inline: "undefined", style: "flex" });
  const inWorker = await tab.inWorker(`(async () => { try { (0, eval)("1"); return "done"; } catch (error) { return error.name; } })()`);
  const outside = await tab.inWorker(`fetch("${other.origin}/audit.json").then(() => "done", (error) => error.name)`);
  assert.deepEqual([inWorker, outside], ["EvalError", "TypeError"]);
  assert.equal(other.seen.length, 0, "nothing has reached the other origin");
  await other.stop();
}));

test("by keyboard alone: a message, every panel, every example; and all has a name", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/?example=notes&session=keys`);
  await ready(tab, "notes");
  const focus = () => tab.run("document.activeElement.id || document.activeElement.textContent");
  const seen = [];
  await tab.run("document.body.focus()");
  for (let i = 0; i < 12; i += 1) {
    await tab.press("Tab");
    const at = await focus();
    if (at === "tab-notes" && seen.includes(at)) break;
    seen.push(at);
    const ring = await tab.run("getComputedStyle(document.activeElement).outlineStyle");
    if (at && (await tab.run("document.activeElement !== document.body"))) assert.equal(ring, "solid", `${at} shows its focus`);
  }
  for (const id of ["tab-notes", "notes-tab-chat", "notes-input"]) assert.ok(seen.includes(id), `${id} in ${seen}`);
  // A message, with a line in between; Enter sends.
  await tab.run(`document.getElementById("notes-input").focus()`);
  await tab.type("write keys.txt: by hand");
  await tab.press("Enter");
  await tab.until(`document.querySelector("#notes-chat .said.assistant")?.textContent.includes("keys.txt")`);
  // The panels by arrows.
  await tab.run(`document.getElementById("notes-tab-chat").focus()`);
  const panels = [];
  for (let i = 0; i < 5; i += 1) {
    await tab.press("ArrowRight");
    const panel = (await focus()).split("-").pop();
    panels.push(panel);
    await tab.until(`!document.getElementById("notes-${panel}").hidden && (${JSON.stringify(panel)} === "chat" || document.querySelector("#notes-${panel} h2"))`, panel);
  }
  assert.deepEqual(panels, ["sessions", "files", "stats", "audit", "chat"]);
  // A file, viewed and edited.
  await tab.press("ArrowRight");
  await tab.press("ArrowRight");
  await tab.until(`document.querySelector("#notes-files [aria-label='View keys.txt']")`);
  assert.match(await tab.run(`document.querySelector("#notes-files tbody").innerText`), /keys.txt\s+changed by the agent/);
  await tab.run(`document.querySelector("[aria-label='View keys.txt']").focus()`);
  await tab.press("Enter", "\r");
  await tab.until(`document.activeElement.id === "notes-edit"`);
  await tab.press("End");
  await tab.type("!");
  // The list is drawn anew beside it, and nothing of it is lost.
  await tab.run(`document.querySelector("#notes-files tbody").dataset.old = "", document.getElementById("notes-tab-files").click()`);
  await tab.until(`document.querySelector("#notes-files tbody") && !document.querySelector("#notes-files tbody[data-old]")`);
  assert.deepEqual(await tab.run(`[document.activeElement.id, document.activeElement.value]`), ["notes-edit", "by hand!"]);
  await tab.press("Tab");
  await tab.press("Enter", "\r");
  await tab.until(`!document.getElementById("notes-edit")`);
  await tab.run(`document.getElementById("notes-tab-files").focus()`);
  await tab.press("Home");
  assert.equal(await say(tab, "notes", "read keys.txt"), "read_file: by hand!");
  // Names and roles.
  await tab.send("Accessibility.enable");
  const { nodes } = await tab.send("Accessibility.getFullAXTree");
  const nameless = nodes.filter(({ ignored, role, name }) => !ignored && ["button", "tab", "textbox", "link", "combobox", "log", "tablist", "checkbox", "region"].includes(role?.value) && !name?.value?.trim());
  assert.deepEqual(nameless.map(({ role }) => role.value), []);
  const roles = new Set(nodes.map(({ role }) => role?.value));
  for (const role of ["tablist", "tab", "tabpanel", "log", "textbox", "status", "main", "banner", "heading"]) assert.ok(roles.has(role), `${role} in ${[...roles]}`);
  // The examples by arrows.
  await tab.run(`document.getElementById("tab-notes").focus()`);
  await tab.press("End");
  await ready(tab, "devices");
  assert.match(await tab.run("location.search"), /example=devices&session=devices-/);
  assert.deepEqual(tab.complaints, []);
}));

// Where there is text that can be seen: each line of it, and what it says.
const TEXTS = `(() => {
  const found = [];
  for (const of of document.body.querySelectorAll("*")) {
    if (!of.checkVisibility() || of.disabled || ["SCRIPT", "NOSCRIPT", "OPTION"].includes(of.tagName)) continue;
    const boxes = [];
    for (const one of of.childNodes) if (one.nodeType === 3 && one.data.trim()) { const range = document.createRange(); range.selectNodeContents(one); boxes.push(...range.getClientRects()); }
    if (of.value && of.matches("input:not([type=checkbox]), textarea, select")) boxes.push(of.getBoundingClientRect());
    for (const { x, y, width, height } of boxes) {
      const over = document.elementFromPoint(x + width / 2, y + height / 2);
      // A space that hangs at the end of a line is narrower.
      if (width < 6 || y < 0 || y + height > innerHeight || !over || !(of === over || of.contains(over))) continue;
      found.push({ x, y, width, height, text: (of.value || of.textContent).slice(0, 40) });
    }
  }
  return found;
})()`;

// The least contrast of any text, by the pixels that are drawn: of twice as many, so that thin
// strokes have their colour somewhere.
async function contrastOf(tab, scale) {
  const picture = decode(await tab.picture());
  let least = { ratio: 21, count: 0 };
  for (const { x, y, width, height, text } of await tab.run(TEXTS)) {
    const found = contrast(picture, { x: x * scale, y: y * scale, width: width * scale, height: height * scale });
    least = { ...(found < least.ratio ? { ratio: found, text: `${text} at ${[x, y, width, height].map(Math.round)}` } : least), count: least.count + 1 };
  }
  return least;
}

test("light and dark, wide and at 320 pixels: 4.5 to 1, and nothing sticks out", () => browsing(async (browser) => {
  for (const [dark, width] of [[false, 1000], [true, 1000], [false, 320], [true, 320]]) {
    const tab = await browser.tab(`${server.origin}/?example=notes&session=look-${width}-${dark}`, { dark, width, height: 700, scale: 2 });
    // What is drawn is to stand where it is found.
    await tab.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }, { name: "prefers-reduced-motion", value: "reduce" }] });
    await ready(tab, "notes");
    await say(tab, "notes", "write notes/list.txt: milk, bread and a word that is as long as it can be: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    await say(tab, "notes", "hello");
    for (const panel of ["chat", "sessions", "files", "stats", "audit"]) {
      if (panel !== "chat") await open(tab, "notes", panel);
      const { ratio, text, count } = await contrastOf(tab, 2);
      assert.ok(count > 10, `${count} lines of text`);
      assert.ok(ratio >= 4.5, `${panel}, ${dark ? "dark" : "light"}: ${ratio} of ${text}`);
      assert.ok((await tab.run("document.documentElement.scrollWidth")) <= width, `${panel} at ${width} pixels`);
      const sticks = `[...document.querySelectorAll("#notes-${panel}, #notes-${panel} *")].filter((one) => one.checkVisibility() && !one.closest(".quiet, thead") && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 80))`;
      assert.deepEqual(await tab.run(sticks), [], `${panel} at ${width} pixels`);
      await keep(tab, `${panel}-${width}-${dark ? "dark" : "light"}`);
    }
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  }
}));

test("the contrast that is found is that of the pixels", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/`, { scale: 2 });
  await ready(tab, "light");
  await say(tab, "light", "hello");
  const before = await contrastOf(tab, 2);
  await tab.run(`document.querySelector("#light-chat .said.assistant span").style.color = "#999"; undefined`);
  const after = await contrastOf(tab, 2);
  assert.ok(before.ratio >= 4.5 && after.ratio < 4.5, `${before.ratio}, then ${after.ratio} of ${after.text}`);
}));

test("everything that can be pressed is come to with the Tab key, and shows that it is there", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/?example=devices&session=reach`);
  await ready(tab, "devices");
  await say(tab, "devices", "write notes/a.txt: x");
  for (const panel of ["chat", "sessions", "files", "stats", "audit"]) {
    if (panel !== "chat") await open(tab, "devices", panel);
    // In a group of tabs the chosen one stands for all; of a closed part its head.
    const all = await tab.run(`[...document.querySelectorAll("button, input, select, textarea, summary, a[href], [tabindex]")].filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0).map((one, i) => (one.dataset.reach = String(i))).length`);
    await tab.run("document.activeElement.blur()");
    const seen = new Set();
    for (let i = 0; i < all + 3; i += 1) {
      await tab.press("Tab");
      const [at, ring] = await tab.run(`[document.activeElement.dataset.reach ?? "", getComputedStyle(document.activeElement).outlineStyle]`);
      if (at) {
        seen.add(at);
        assert.equal(ring, "solid", await tab.run("document.activeElement.outerHTML.slice(0, 100)"));
      }
    }
    const missed = await tab.run(`[...document.querySelectorAll("[data-reach]")].filter((one) => !${JSON.stringify([...seen])}.includes(one.dataset.reach)).map((one) => one.outerHTML.slice(0, 80))`);
    assert.deepEqual(missed, [], panel);
    await tab.run(`document.querySelectorAll("[data-reach]").forEach((one) => delete one.dataset.reach)`);
    // Names and roles of what this panel shows.
    await tab.send("Accessibility.enable");
    const { nodes } = await tab.send("Accessibility.getFullAXTree");
    const nameless = nodes.filter(({ ignored, role, name }) => !ignored && ["button", "tab", "textbox", "link", "combobox", "log", "tablist", "checkbox", "region", "table", "image", "tabpanel"].includes(role?.value) && !name?.value?.trim());
    assert.deepEqual(nameless.map(({ role }) => role.value), [], panel);
  }
  // Who wants no motion has none.
  const motion = () => tab.run(`getComputedStyle(document.querySelector(".log")).scrollBehavior`);
  await tab.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-reduced-motion", value: "reduce" }] });
  assert.equal(await motion(), "auto");
  assert.deepEqual(tab.complaints, []);
}));

test("offline after the first visit; a new version waits until somebody asks for it", () => browsing(async (browser) => {
  const own = await host();
  const tab = await browser.tab(`${own.origin}/?example=notes&session=offline`);
  await ready(tab, "notes");
  await tab.until("navigator.serviceWorker.ready.then(() => true)", "a service worker");
  await tab.until("navigator.serviceWorker.controller !== null");
  await say(tab, "notes", "write a.txt: kept");
  const old = own.at.build;
  // The host is gone.
  const { folder } = own.at;
  own.at.folder = "/nowhere";
  const before = own.seen.length;
  await tab.reload();
  await ready(tab, "notes");
  assert.equal(await say(tab, "notes", "read a.txt"), "read_file: kept");
  await open(tab, "notes", "stats");
  assert.ok(own.seen.slice(before).every(({ url }) => url === "/service-worker.js"), "all came from the cache");
  // Another version is there.
  const made = bundle(process.env.REACTOR, folder, (_, files) => files.set("style.css", Buffer.concat([files.get("style.css"), Buffer.from("\n")])));
  Object.assign(own.at, { folder, ...made });
  assert.notEqual(made.build, old);
  await tab.run("navigator.serviceWorker.getRegistration().then((one) => one.update()).then(() => true)");
  await tab.until(`document.getElementById("banner-version")`, "it is offered");
  assert.match(await tab.run(`document.querySelector("script").src`), new RegExp(old));
  await tab.reload();
  await ready(tab, "notes");
  assert.match(await tab.run(`document.querySelector("script").src`), new RegExp(old), "not taken by a reload");
  await tab.until(`document.getElementById("banner-version")`);
  await press(tab, "Use it");
  await tab.until(`document.querySelector("script").src.includes("${made.build}") && document.documentElement.dataset.ready === "notes"`, "the new one");
  assert.equal(await say(tab, "notes", "read a.txt"), "read_file: kept");
  await own.stop();
}));

test("on a host that sends no policy, workers get it of the service worker", () => browsing(async (browser) => {
  const [own, other] = [await host(), await host()];
  own.at.csp = "";
  const tab = await browser.tab(`${own.origin}/`);
  await ready(tab, "light");
  await tab.until("navigator.serviceWorker.ready.then(() => true)");
  await tab.until("navigator.serviceWorker.controller !== null");
  await tab.reload();
  await ready(tab, "light");
  await tab.send("Log.disable");
  assert.equal(await tab.inWorker(`fetch("${other.origin}/audit.json").then(() => "done", (error) => error.name)`), "TypeError");
  assert.equal(other.seen.length, 0);
  assert.equal(await tab.run(`fetch("${other.origin}/audit.json").then(() => "done", (error) => error.name)`), "TypeError", "the page has its own");
  await Promise.all([own.stop(), other.stop()]);
}));

test("without WebAssembly, and without scripts, it says what is missing", () => browsing(async (browser) => {
  const tab = await browser.tab(`${server.origin}/`, { page: "delete globalThis.WebAssembly" });
  await tab.until(`document.getElementById("status").textContent.includes("needs WebAssembly")`);
  assert.match(await (await fetch(`${server.origin}/`)).text(), /<noscript>This page needs JavaScript/);
}));

test("cold, every file comes once; warm, none does, and the module is not fetched again", () => browsing(async (browser) => {
  const own = await host();
  const asked = [];
  for (const visit of ["cold", "warm"]) {
    const from = own.seen.length;
    const tab = await browser.tab(`${own.origin}/`);
    await ready(tab, "light");
    await say(tab, "light", "hello", "hello");
    // The service worker, which comes after the answer, fetches for itself.
    const seen = visit === "warm" ? own.seen.slice(from).map(({ url }) => url) : tab.requests.filter(({ by }) => by !== "service_worker").map(({ url }) => url.slice(own.origin.length));
    await tab.until("navigator.serviceWorker.ready.then(() => true)", "a service worker");
    await tab.until("navigator.serviceWorker.controller !== null");
    asked.push(seen);
    const { boot } = await ask(tab, "light", "stats");
    assert.deepEqual(Object.keys(boot), ["asked", "compiled", "instance", "ready"], `${visit}: nothing else is waited for`);
    const times = Object.values(boot);
    assert.deepEqual(times, [...times].sort((a, b) => a - b), "each after the other");
    const inWorker = await tab.inWorker(`performance.getEntriesByType("resource").map((one) => new URL(one.name).pathname.split("/").pop()).sort()`);
    assert.equal(inWorker.filter((name) => name === "agent.wasm").length, 1);
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  }
  const [cold, warm] = asked;
  const files = cold.filter((url) => url !== "/service-worker.js");
  assert.equal(new Set(files).size, files.length, files.join());
  assert.equal(files.length, 12, files.join());
  assert.deepEqual(warm.filter((url) => url !== "/service-worker.js"), [], "all came from what the first visit has kept");
  await own.stop();
}));

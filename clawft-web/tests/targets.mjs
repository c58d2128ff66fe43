// The page against its targets, on this machine: `cargo make web-targets`, which bundles if stale, serves
// and asks. `--json` prints the figures alone, `--check` makes a missed target exit code 1, `SITE=URL`
// takes a bundle that is served already. Times are medians of visits of their own, each with a
// browser's empty storage; nothing here is a test.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { cpus, loadavg } from "node:os";
import { createInterface } from "node:readline";
import { Agent } from "../www/steps.js";
import { pack, put, take, unpack } from "../www/image.js";
import { Tree } from "../www/tree.js";
import { forget, profile, start } from "./browser.mjs";
import { ask, ready, say } from "./pages.mjs";

const VISITS = 9;
const KIB = 1024;
const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const rows = [];
// A figure; `most` is the target, none where there is none of that kind.
const row = (what, unit, value, most) => rows.push({ what, unit, value, target: most ?? null, met: most === undefined ? null : value <= most });

async function served() {
  if (process.env.SITE) return { site: process.env.SITE.replace(/\/$/, ""), stop: () => undefined };
  const child = spawn("cargo", ["serve", "--", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(child.stdout)) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (url) return { site: url, stop: () => child.kill("SIGINT") };
  }
  throw new Error("cargo serve has ended");
}

// Bytes of an answer as it is sent, and what it is.
const sent = (url, encoding) => new Promise((resolve, reject) => {
  get(url, { headers: { "accept-encoding": encoding } }, (answer) => {
    const parts = [];
    answer.on("data", (data) => parts.push(data)).on("end", () => resolve(Buffer.concat(parts)));
  }).on("error", reject);
});

async function sizes(site, browser) {
  const context = await browser.context();
  const tab = await context.tab(`${site}/`);
  await ready(tab, "light");
  await say(tab, "light", "hello", "hello");
  const own = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((one) => new URL(one.name).pathname)`;
  const before = await tab.inWorker(own);
  const build = /\/[0-9a-f]{16}\//.exec(before.join())[0];
  const all = [...new Set([...(await tab.run(own)), ...before])].filter((path) => path === "/" || path.startsWith(build));
  await context.close();
  for (const encoding of ["br", "gzip"]) {
    const bytes = await Promise.all(all.map(async (path) => [path, (await sent(site + path, encoding)).length]));
    const sum = (keep) => bytes.filter(([path]) => keep(path)).reduce((total, [, count]) => total + count, 0);
    const wasm = (path) => path.endsWith(".wasm");
    row(`before the first answer, ${encoding}, ${all.length} files`, "B", sum(() => true), (encoding === "br" ? 52 : 60) * KIB);
    if (encoding === "br") {
      row("of it the agent, br", "B", sum(wasm), 28.5 * KIB);
      row("of it page and worker, br", "B", sum((path) => !wasm(path)), 24 * KIB);
    } else row("WASI shim, gzip", "B", sum((path) => path.endsWith("/wasi.js")), 3000);
  }
  return sent(`${site}${build}agent.wasm`, "identity");
}

const timed = (run) => {
  const from = performance.now();
  const value = run();
  return [performance.now() - from, value];
};

async function inNode(wasm) {
  const times = { compile: [], instance: [], first: [] };
  for (let i = 0; i < 101; i += 1) {
    const [compile, module] = timed(() => new WebAssembly.Module(wasm));
    const [instance, agent] = timed(() => {
      const made = new Agent(module, new Tree());
      made.ask("clawft_init", "{}");
      return made;
    });
    const [first] = timed(() => agent.ask("clawft_process_message", "s", "hello"));
    times.compile.push(compile);
    times.instance.push(instance);
    times.first.push(compile + instance + first);
  }
  row("in node: compile", "ms", median(times.compile), 0.02);
  row("in node: instance and init", "ms", median(times.instance), 0.07);
  row("in node: to the first answer", "ms", median(times.first), 0.16);
  const module = new WebAssembly.Module(wasm);
  const agent = new Agent(module, new Tree());
  const fresh = agent.memory.slice();
  agent.ask("clawft_init", "{}");
  for (let i = 0; i < 20; i += 1) agent.ask("clawft_process_message", "s", `turn ${i}`);
  const [takes, puts] = [[], []];
  let bytes = 0;
  for (let i = 0; i < 101; i += 1) {
    const [time, raw] = timed(() => take(agent, fresh, { sha256: "m" }));
    takes.push(time);
    if (i === 0) bytes = (await pack(raw)).length;
    const image = await unpack(await pack(raw));
    puts.push(timed(() => put(agent, fresh, image, "m"))[0]);
  }
  row("image after 20 turns, gzip", "B", bytes, 8 * KIB);
  row("image: taken", "ms", median(takes), 2);
  row("image: put back", "ms", median(puts), 2);
}

const MARK = "performance.getEntriesByName('ready')[0].startTime";

async function starts(site, browser) {
  const times = { cold: [], warm: [], offline: [] };
  const module = [];
  for (let i = 0; i < VISITS; i += 1) {
    const context = await browser.context();
    const visit = async (kind) => {
      const tab = await context.tab(undefined, { watch: false });
      if (kind === "offline") await tab.send("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
      await tab.go(`${site}/`);
      await ready(tab, "light");
      times[kind].push(await tab.run(MARK));
      await tab.until("navigator.serviceWorker.ready.then(() => true)");
      await tab.until("navigator.serviceWorker.controller !== null");
      await tab.close();
    };
    for (const kind of Object.keys(times)) await visit(kind);
    await context.close();
    const other = await browser.context();
    const tab = await other.tab(`${site}/`);
    await ready(tab, "light");
    const { boot, began } = await ask(tab, "light", "stats");
    const fetched = await tab.inWorker(`performance.getEntriesByType("resource").find((one) => one.name.endsWith(".wasm")).responseEnd`);
    module.push(began + boot.ready - fetched);
    await other.close();
  }
  row(`interactive, cold (median of ${VISITS})`, "ms", median(times.cold), 200);
  row("interactive, warm", "ms", median(times.warm), 80);
  row("interactive, offline", "ms", median(times.offline), 80);
  row("module fetched → ready", "ms", median(module), 25);
}

async function saves(site, browser) {
  const context = await browser.context();
  const tab = await context.tab(`${site}/?example=notes&session=saves`, { watch: false });
  await ready(tab, "notes");
  await ask(tab, "notes", "say", { text: "the first one" });
  const size = async () => (await ask(tab, "notes", "files")).find(({ path }) => path === ".clawft/sessions/main.json").bytes;
  const [from, before] = [await ask(tab, "notes", "stats"), await size()];
  for (let i = 0; i < 100; i += 1) await ask(tab, "notes", "say", { text: `turn ${i}` });
  const { saves: all } = await ask(tab, "notes", "stats");
  row("save of a turn, p95 of 100", "ms", all.p95, 3);
  row("save of a turn, beside its own bytes", "B", Math.round((all.bytes - from.saves.bytes - ((await size()) - before)) / 100), 4 * KIB);
  const large = await context.tab(`${site}/?example=notes&session=large`, { watch: false });
  await ready(large, "notes");
  await large.run(`import(document.querySelector("script").src).then(async ({ app }) => {
    for (let i = 0; i < 16; i += 1) await app("notes").ask("write", { path: "f" + i, bytes: new Uint8Array(65536).fill(i) });
  })`);
  const times = [];
  for (let i = 0; i < VISITS; i += 1) {
    await large.reload();
    await ready(large, "notes");
    const { boot } = await ask(large, "notes", "stats");
    times.push(boot.restored - boot.asked);
  }
  row("restore of 1 MiB of files", "ms", median(times), 30);
  await context.close();
}

// From which visit on the engine takes the machine code that it has kept of the module, by its own
// trace: it keeps code that it has optimised, two seconds later.
async function cached(site) {
  // A profile on disk: what is kept is kept there.
  const browser = start();
  for (let visit = 1; visit <= 6; visit += 1) {
    const events = [];
    let over;
    const complete = new Promise((done) => (over = done));
    const listen = ({ method, params }) => {
      if (method === "Tracing.dataCollected") events.push(...params.value);
      if (method === "Tracing.tracingComplete") over();
    };
    browser.listeners.add(listen);
    await browser.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["v8.wasm", "devtools.timeline"] } });
    const tab = await browser.tab(`${site}/`, { watch: false });
    await ready(tab, "light");
    for (let i = 0; i < 100; i += 1) await ask(tab, "light", "say", { text: `hello ${i}` });
    await new Promise((done) => setTimeout(done, 3000));
    await tab.close();
    await browser.send("Tracing.end");
    await complete;
    browser.listeners.delete(listen);
    if (events.some(({ name }) => name === "v8.wasm.moduleCacheHit")) {
      row("the engine's own code cache is used, from visit", "", visit);
      break;
    }
  }
  await browser.stop();
  forget(browser.folder);
}

// What the renderers of a browser have for themselves.
async function memory(url, name) {
  const browser = start(profile(), ["--disable-features=SpareRendererForSitePerProcess"]);
  const tab = await browser.tab(url, { watch: false });
  if (name) {
    await ready(tab, name);
    await say(tab, name, "hello", "hello");
  }
  await tab.send("HeapProfiler.collectGarbage");
  const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
  const own = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => {
    const lines = readFileSync(`/proc/${id}/smaps_rollup`, "utf8");
    return [...lines.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, [, count]) => sum + Number(count) * KIB, 0);
  });
  await browser.stop();
  forget(browser.folder);
  return own.reduce((sum, one) => sum + one, 0);
}

const { site, stop } = await served();
const browser = start();
try {
  await inNode(await sizes(site, browser));
  await starts(site, browser);
  await saves(site, browser);
  await cached(site);
  if (process.platform === "linux") {
    const tabs = [];
    for (let i = 0; i < 3; i += 1) tabs.push((await memory(`${site}/`, "light")) - (await memory(undefined)));
    row("memory of a tab over a blank one", "B", median(tabs), 24 * KIB * KIB);
  }
} finally {
  await browser.stop();
  forget(browser.folder);
  stop();
}

// What else ran says how much a time is worth.
const machine = { processors: cpus().length, load: loadavg().map((one) => Number(one.toFixed(2))) };
const number = ({ unit }, value) => (value === null ? "" : unit === "B" || unit === "" ? value.toLocaleString("en") : value.toFixed(2));
if (process.argv.includes("--json")) console.log(JSON.stringify({ version: 1, machine, rows }, null, 1));
else {
  console.log("| what | ours | target | |\n|---|---:|---:|---|");
  for (const one of rows) console.log(`| ${one.what} | ${number(one, one.value)} ${one.unit} | ${number(one, one.target)} | ${one.met === false ? "missed" : ""} |`);
  console.log(`\n${machine.processors} processors, load ${machine.load.join(" ")} at the end.`);
}
if (process.argv.includes("--check") && rows.some(({ met }) => met === false)) process.exitCode = 1;

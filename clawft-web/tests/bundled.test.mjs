// The bundle as it is shipped, on the server that serves it: every example, its self-test, the
// audit, and devices.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, browsing, open, ready, say } from "./setup.mjs";

const site = process.env.SITE;

test("every example starts, tests itself, and shows the audit", () => browsing(async (browser) => {
  const plan = await fetch(`${site}/`).then((answer) => answer.text()).then((page) => fetch(`${site}/${/\.\/([0-9a-f]{16})\//.exec(page)[1]}/plan.json`)).then((answer) => answer.json());
  assert.deepEqual(plan.examples.map(({ name }) => name), ["light", "notes", "online", "team", "devices"]);
  const audit = await fetch(`${site}/audit.json`).then((answer) => answer.json());
  assert.equal(audit.rows.length, 11);
  for (const { name, selftest, optimizations, module } of plan.examples) {
    const tab = await browser.tab(`${site}/?example=${name}`);
    await ready(tab, name);
    await open(tab, name, "audit");
    assert.deepEqual(await tab.run(`[...document.querySelectorAll("#${name}-audit tbody th")].map((one) => one.textContent)`), audit.rows.map((row) => row.name));
    if (selftest.length) {
      await tab.run(`document.querySelector("#${name}-audit .row button").click()`);
      await tab.until(`document.querySelector("#${name}-audit [role=status]").textContent`, "the self-test of " + name);
      assert.equal(await tab.run(`document.querySelector("#${name}-audit [role=status]").textContent`), `${selftest.length} of ${selftest.length} answers as they should be.`);
    }
    const { kind, boot } = await ask(tab, name, "stats");
    assert.equal(kind, optimizations.persistence ? "opfs" : "none");
    assert.equal(module.preinit, name === "light");
    console.log(`# ${name}: ready ${boot.ready.toFixed(0)} ms after its worker began`);
    assert.deepEqual(tab.complaints, []);
    await tab.close();
  }
}));

test("what comes over the network before the first answer is what the audit says, at most", () => browsing(async (browser) => {
  const tab = await browser.tab(`${site}/`);
  await ready(tab, "light");
  await say(tab, "light", "hello", "hello");
  const own = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((one) => [new URL(one.name).pathname, one.encodedBodySize])`;
  const all = [...(await tab.run(own)), ...(await tab.inWorker(own))];
  const build = /\/([0-9a-f]{16})\//.exec(all.at(-1)[0])[1];
  // The service worker, which comes after the answer, takes its own.
  const came = [...new Map(all.filter(([path]) => path === "/" || path.startsWith(`/${build}/`)))];
  const { rows } = await fetch(`${site}/audit.json`).then((answer) => answer.json());
  const { evidence } = rows.find((row) => row.name === "Light tab first").cells.light;
  const [, files, brotli] = /^(\d+) files .* ([\d,]+) with brotli$/.exec(evidence);
  const sum = came.reduce((bytes, [, size]) => bytes + size, 0);
  console.log(`# ${came.length} answers of ${sum} bytes; the audit: ${evidence}`);
  assert.equal(came.length, Number(files), came.map(([path]) => path).join());
  assert.ok(sum <= Number(brotli.replaceAll(",", "")), `${sum} of ${brotli}: ${came.join(" ")}`);
}));

test("the headers, and the compressed form of every file", async () => {
  const page = await fetch(`${site}/`);
  const policy = page.headers.get("content-security-policy");
  assert.match(policy, /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; .*require-trusted-types-for 'script'; trusted-types clawft; frame-ancestors 'none'$/);
  const build = /\.\/([0-9a-f]{16})\//.exec(await page.text())[1];
  const { assets } = await fetch(`${site}/${build}/plan.json`).then((answer) => answer.json());
  assert.ok(assets.length > 25);
  for (const { path, bytes } of assets) {
    const answer = await fetch(`${site}/${build}/${path}`, { headers: { "accept-encoding": "br" } });
    assert.equal(answer.status, 200, path);
    assert.equal((await answer.arrayBuffer()).byteLength, bytes, path);
    assert.match(answer.headers.get("cache-control"), /immutable/);
  }
});

test("two devices share a session over the server's folder, and are woken by it", () => browsing((first) => browsing(async (second) => {
  const a = await first.tab(`${site}/?example=devices&session=one`);
  await ready(a, "devices");
  await say(a, "devices", "write notes/shared.txt: from the one");
  const { link } = await ask(a, "devices", "sync", { on: true });
  const b = await second.tab(link.replace("?", "?session=two&"));
  await ready(b, "devices");
  await b.until(`document.getElementById("devices-chat").textContent.includes("shared.txt")`, "it comes to the other");
  assert.match(await say(b, "devices", "read notes/shared.txt"), /from the one/);
  await a.until(`document.getElementById("devices-chat").textContent.includes("read notes/shared.txt")`, "and back, without being asked");
  for (const tab of [a, b]) assert.deepEqual(tab.complaints, []);
})));

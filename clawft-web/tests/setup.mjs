// What every test in Chromium begins with: a bundle, its host, a browser, and how a page is used.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { bundle } from "./bundle.mjs";
import { forget, running, start } from "./browser.mjs";
import { serve } from "./serve.mjs";

const hosts = new Set();

// A bundle on a host of its own.
export async function host(change, answer) {
  const folder = mkdtempSync(join(tmpdir(), "web-bundle-"));
  const made = bundle(process.env.REACTOR, folder, change);
  const at = { folder, ...made };
  const server = await serve(at, answer);
  const one = { ...server, at, async stop() {
    if (!hosts.delete(one)) return;
    await server.stop();
    rmSync(folder, { recursive: true });
  } };
  hosts.add(one);
  return one;
}

// A change of the bundle: what is run in every worker before all else.
export const inWorkers = (source) => (_, files) => {
  files.set("first.js", Buffer.from(source));
  files.set("worker.js", Buffer.concat([Buffer.from('import "./first.js";\n'), files.get("worker.js")]));
};

let shared;

// Runs with tabs whose storage is their own, in the one browser of this file.
export async function browsing(run) {
  shared ??= start();
  const context = await shared.context();
  try {
    return await run(context);
  } finally {
    await context.close();
  }
}

after(async () => {
  await shared?.stop();
  if (shared) forget(shared.folder);
  // What a test that failed has left.
  for (const browser of [...running]) await browser.kill();
  for (const one of [...hosts]) await one.stop();
});

export * from "./pages.mjs";

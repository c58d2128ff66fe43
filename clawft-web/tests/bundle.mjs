// Lays the page out as `cargo bundle` does, for tests: `bundle(reactor, folder, { examples, changed
// })`. Gives the build id.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "../www/tar.js";

const here = fileURLToPath(new URL("..", import.meta.url));
const SIZES = { B: 1, KiB: 1024, MiB: 1024 * 1024 };
const size = (value) => (typeof value === "number" ? value : Number(value.split(" ")[0]) * SIZES[value.split(" ")[1]]);

function tree(folder, path = "") {
  return readdirSync(join(folder, path)).sort().flatMap((name) => {
    const at = path ? `${path}/${name}` : name;
    return statSync(join(folder, at)).isDirectory() ? [{ path: at }, ...tree(folder, at)] : [{ path: at, bytes: new Uint8Array(readFileSync(join(folder, at))) }];
  });
}

export const policy = (origins) =>
  `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'${origins.map((one) => ` ${one}`).join("")}; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types clawft`;

// `change` may alter the manifest and the files: what tests need that the shipped examples do not
// have.
export function bundle(reactor, folder, change = () => undefined) {
  const manifest = JSON.parse(readFileSync(join(here, "manifest.json")));
  const files = new Map(tree(join(here, "www")).map(({ path, bytes }) => [path, Buffer.from(bytes)]));
  change(manifest, files);
  const wasm = readFileSync(reactor);
  files.set("agent.wasm", wasm);
  const sha256 = createHash("sha256").update(wasm).digest("hex");
  const examples = Object.entries(manifest.examples).map(([name, one]) => {
    const { hypercalls = [], preinit, ...rest } = one.optimizations ?? {};
    const entries = one.rootfs ? tree(join(here, one.rootfs)) : null;
    if (entries) files.set(`${name}.tar`, Buffer.from(pack(entries)));
    const grants = structuredClone(one.grants ?? {});
    if (grants.fetch?.maxResponse) grants.fetch.maxResponse = size(grants.fetch.maxResponse);
    return {
      name, title: one.title, module: { path: "agent.wasm", bytes: wasm.length, sha256, preinit: false }, config: one.config ?? {},
      optimizations: { preinit: false, jit: false, jitHotThreshold: null, persistence: false, autoSaveInterval: null, snapshot: false, sync: false, tasks: 1, memoryMaximum: null, ...rest },
      hypercalls, grants, hostcalls: one.hostcalls ?? [],
      files: entries && { path: `${name}.tar`, bytes: files.get(`${name}.tar`).length, list: entries.filter(({ bytes }) => bytes).map(({ path, bytes }) => ({ path, bytes: bytes.length })) },
      selftest: one.selftest ?? [],
    };
  });
  const templates = ["index.html", "service-worker.js"];
  const assets = [...files].filter(([path]) => !templates.includes(path)).map(([path, bytes]) => ({ path, bytes: bytes.length })).sort((a, b) => (a.path < b.path ? -1 : 1));
  files.set("plan.json", Buffer.from(JSON.stringify({ version: 1, default: manifest.default, assets, examples })));
  const hash = createHash("sha256");
  for (const path of [...files.keys()].sort()) hash.update(path).update("\0").update(files.get(path));
  const build = hash.digest("hex").slice(0, 16);
  const csp = policy([...new Set(examples.flatMap(({ grants }) => grants.fetch?.origins ?? []))]);
  mkdirSync(join(folder, build), { recursive: true });
  for (const [path, bytes] of files) {
    const text = templates.includes(path);
    writeFileSync(join(folder, text ? "" : build, path), text ? bytes.toString().replaceAll("__BUILD__", build).replaceAll("__POLICY__", csp) : bytes);
  }
  const cells = Object.fromEntries(examples.map(({ name, hypercalls }) => [name, { built: "yes", bundle: hypercalls.length ? "yes" : "no", evidence: hypercalls.join(" ") || "no op granted" }]));
  writeFileSync(join(folder, "audit.json"), JSON.stringify({ version: 1, build, rows: [{ name: "Host fetch and the registry", cells }] }));
  return { build, csp };
}

// Host calls in node: the registry, its grants, times and parts; requests to a real server; keys;
// images of a running agent.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { HostError, Registry, STATUS } from "../www/hostcalls.js";
import { calls as crypto_ } from "../www/op-crypto.js";
import { calls as fetch_ } from "../www/op-fetch.js";
import { childOf } from "../www/op-spawn.js";
import { calls as snapshot } from "../www/op-snapshot.js";
import { calls as tool } from "../www/op-tool.js";
import { pack, put, take, unpack } from "../www/image.js";
import { Agent } from "../www/steps.js";
import { Tree } from "../www/tree.js";
import { Turns } from "../www/turns.js";

const utf8 = new TextEncoder();
const text = (bytes) => new TextDecoder().decode(bytes);
const module = new WebAssembly.Module(readFileSync(process.env.REACTOR));

// All the parts of a call's answer.
function run(registry, op, head = {}, { body = new Uint8Array(), flags = 0, signal = new AbortController().signal } = {}) {
  return new Promise((resolve) => {
    const parts = [];
    registry.run({ op, flags, call: 1, head, body }, (part) => {
      parts.push(part);
      if (!part.more) resolve(parts);
    }, signal);
  });
}
const one = async (...args) => {
  const parts = await run(...args);
  assert.equal(parts.length, 1);
  return { status: 0, ...parts[0] };
};

// Two origins: what the tests are granted, and what they are not.
const seen = [];
const answer = (request, response) => {
  const url = new URL(request.url, "http://x");
  const parts = [];
  request.on("data", (data) => parts.push(data));
  request.on("end", () => {
    seen.push({ url: request.url, host: request.headers.host, method: request.method, headers: request.headers, body: Buffer.concat(parts).toString() });
    if (url.pathname === "/redirect") response.writeHead(302, { location: url.searchParams.get("to") }).end();
    else if (url.pathname === "/large") response.end(Buffer.alloc(300_000, 7));
    else if (url.pathname === "/never") response.writeHead(200).write("begun");
    else response.writeHead(url.pathname === "/missing" ? 404 : 200, { "x-seen": "yes" }).end(`said ${Buffer.concat(parts)}`);
  });
};
const servers = [createServer(answer), createServer(answer)];
let granted, other;
before(async () => {
  for (const server of servers) await new Promise((done) => server.listen(0, "127.0.0.1", done));
  [granted, other] = servers.map((server) => `http://127.0.0.1:${server.address().port}`);
});
after(() => servers.forEach((server) => (server.closeAllConnections(), server.close())));

const fetching = (more = {}, host = {}, seenCalls) => {
  const registry = new Registry({ fetch: { origins: [granted], methods: ["GET", "POST"], maxResponse: 400_000, ...more } }, host, seenCalls);
  fetch_.forEach((spec) => registry.register(spec));
  return registry;
};

test("registry: unknown, without a grant, twice, out of range", async () => {
  const registry = new Registry({});
  let ran = 0;
  const spec = { op: 600, name: "mine", grant: "mine", run: async () => ((ran += 1), {}) };
  registry.register(spec);
  assert.throws(() => registry.register({ ...spec, name: "again" }), /600 is mine already/);
  for (const op of [499, 70_000, 1.5]) assert.throws(() => registry.register({ ...spec, op }), /no number of a call/);
  assert.equal((await one(registry, 601)).status, STATUS.unavailable);
  assert.equal((await one(registry, 600)).status, STATUS.denied);
  assert.equal(ran, 0, "nothing runs without a grant");
  registry.grants.mine = {};
  assert.equal((await one(registry, 600)).status, 0);
  assert.equal(ran, 1);
});

test("a call that fails, is cancelled, or takes too long", async () => {
  const registry = new Registry({ g: {} });
  let signals = 0;
  const wait = (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => {
    signals += 1;
    reject(signal.reason);
  }));
  registry.register({ op: 600, name: "fails", grant: "g", run: async () => { throw new Error("why"); } });
  registry.register({ op: 601, name: "waits", grant: "g", limits: { idle: 20 }, run: wait });
  registry.register({ op: 602, name: "whole", grant: "g", limits: { idle: 1000, whole: 30 }, run: wait });
  registry.register({ op: 603, name: "forever", grant: "g", run: () => new Promise(() => undefined) });
  assert.deepEqual(await one(registry, 600), { status: STATUS.failed, head: { message: "why" } });
  assert.equal((await one(registry, 601)).status, STATUS.timedOut);
  assert.equal((await one(registry, 602)).status, STATUS.timedOut);
  const end = new AbortController();
  const cancelled = one(registry, 603, {}, { signal: end.signal });
  end.abort();
  assert.equal((await cancelled).status, STATUS.cancelled);
  assert.equal(signals, 2);
  assert.equal((await one(registry, 603, { timeout_ms: 10 })).status, STATUS.timedOut);
});

test("fetch: what is granted, in one and in parts; what is not goes nowhere", async () => {
  const observed = [];
  const registry = fetching({}, {}, (call) => observed.push(call));
  const found = await one(registry, 500, { method: "POST", url: `${granted}/a?b=c`, headers: { "x-own": "1" } }, { body: utf8.encode("hello") });
  assert.deepEqual([found.status, found.head.status, found.head.headers["x-seen"], text(found.body)], [0, 200, "yes", "said hello"]);
  assert.equal(seen.at(-1).headers["x-own"], "1");
  assert.equal((await one(registry, 500, { url: `${granted}/missing` })).head.status, 404);
  const parts = await run(registry, 500, { url: `${granted}/large` }, { flags: 2 });
  assert.equal(parts[0].head.status, 200);
  assert.ok(parts.slice(1).every(({ body = [] }) => body.length <= 256 * 1024));
  assert.equal(parts.reduce((sum, { body = [] }) => sum + body.length, 0), 300_000);
  assert.deepEqual(parts.map(({ more }) => more), [...parts.slice(1).map(() => true), false]);
  assert.deepEqual([observed[0].op, observed[0].sent, observed[0].got, observed.at(-1).got], [500, 5, 10, 300_000]);
  const count = seen.length;
  for (const [head, status] of [[{ url: `${other}/` }, STATUS.denied], [{ url: `${granted}/`, method: "DELETE" }, STATUS.denied], [{ url: "no address" }, STATUS.invalid], [{ url: `${granted.replace("127.0.0.1", "localhost")}/` }, STATUS.denied]]) {
    assert.equal((await one(registry, 500, head)).status, status, JSON.stringify(head));
  }
  assert.equal(seen.length, count);
  assert.equal((await one(fetching({ maxResponse: 1000 }), 500, { url: `${granted}/large` })).status, STATUS.tooLarge);
});

test("fetch: redirects are followed where that is granted, and only to what is", async () => {
  const to = (place) => ({ url: `${granted}/redirect?to=${encodeURIComponent(place)}` });
  assert.equal((await one(fetching(), 500, to(`${granted}/a`))).status, STATUS.failed);
  assert.equal((await one(fetching({ redirects: true }), 500, to(`${granted}/a`))).head.status, 200);
  assert.equal((await one(fetching({ redirects: true }), 500, to(`${other}/a`))).status, STATUS.denied);
  const vault = { secret: () => "k" };
  const before = seen.filter(({ url }) => url === "/a").length;
  const head = { ...to(`${granted}/a`), credential: { name: "n", header: "x-api-key" } };
  assert.equal((await one(fetching({ redirects: true }, { vault }), 500, head)).status, STATUS.failed, "never with a key");
  assert.equal(seen.filter(({ url }) => url === "/a").length, before);
});

test("fetch: the key is added for its own origin, and an idempotency key where that is granted", async () => {
  const vault = { secret: (name, origin) => (name === "anthropic" && origin === granted ? "s3cret" : undefined) };
  const credential = { name: "anthropic", header: "x-api-key", prefix: "" };
  const found = await one(fetching({ idempotencyHeader: true }, { vault, session: "s" }), 500, { url: `${granted}/k`, credential });
  assert.equal(found.head.status, 200);
  assert.deepEqual([seen.at(-1).headers["x-api-key"], seen.at(-1).headers["idempotency-key"]], ["s3cret", "s-1"]);
  assert.ok(!JSON.stringify(found.head).includes("s3cret"));
  const count = seen.length;
  assert.equal((await one(fetching({}, { vault }), 500, { url: `${granted}/k`, credential: { ...credential, name: "other" } })).status, STATUS.noKey);
  assert.equal((await one(fetching({}, {}), 500, { url: `${granted}/k`, credential })).status, STATUS.noKey);
  assert.equal(seen.length, count);
});

test("fetch: cancelled and timed out in the middle of an answer", async () => {
  const end = new AbortController();
  const parts = [];
  await new Promise((resolve) => fetching().run({ op: 500, flags: 2, call: 1, head: { url: `${granted}/never` }, body: new Uint8Array() }, (part) => {
    parts.push(part);
    if (part.body?.length) end.abort();
    if (!part.more) resolve();
  }, end.signal));
  assert.equal(parts.at(-1).status, STATUS.cancelled);
  assert.equal(text(parts[1].body), "begun");
  const late = await run(fetching(), 500, { url: `${granted}/never`, timeout_ms: 50 }, { flags: 2 });
  assert.equal(late.at(-1).status, STATUS.timedOut);
});

test("crypto: random and digest; what is not granted; no key without a grant", async () => {
  const registry = new Registry({ crypto: { do: ["random", "digest", "sign"], keys: ["mine"] } });
  crypto_.forEach((spec) => registry.register(spec));
  const digest = await one(registry, 504, { do: "digest", algorithm: "SHA-256" }, { body: utf8.encode("abc") });
  assert.equal(Buffer.from(digest.body).toString("hex"), createHash("sha256").update("abc").digest("hex"));
  const [a, b] = [await one(registry, 504, { do: "random", bytes: 16 }), await one(registry, 504, { do: "random", bytes: 16 })];
  assert.equal(a.body.length, 16);
  assert.notDeepEqual(a.body, b.body);
  for (const [head, status] of [[{ do: "random", bytes: 1e9 }, STATUS.invalid], [{ do: "digest", algorithm: "MD5" }, STATUS.invalid], [{ do: "export" }, STATUS.invalid], [{ do: "encrypt", key: "mine" }, STATUS.denied], [{ do: "sign", key: "other" }, STATUS.denied]]) {
    assert.equal((await one(registry, 504, head)).status, status, JSON.stringify(head));
  }
});

test("tools of the host by name; what a child may do is less than its parent", async () => {
  const registry = new Registry({ tool: { names: ["clock", "gone"] } });
  tool.forEach((spec) => registry.register(spec));
  assert.match((await one(registry, 506, { name: "clock" })).head.output, /^\d{4}-/);
  assert.equal((await one(registry, 506, { name: "about_browser" })).status, STATUS.denied);
  assert.equal((await one(registry, 506, { name: "gone" })).status, STATUS.unavailable);
  const parent = { hypercalls: ["host_fetch", "host_spawn", "host_fs_write", "host_snapshot"], grants: { fetch: { origins: ["https://a"] }, spawn: { max: 2 }, fs: {}, snapshot: {} }, config: { model: "m" }, optimizations: { persistence: true, sync: true, tasks: 4 }, files: {} };
  const child = childOf(parent, { model: "other" });
  assert.deepEqual([child.hypercalls, child.grants, child.optimizations.persistence, child.optimizations.sync, child.files, child.config.model], [["host_fetch"], { fetch: { origins: ["https://a"] } }, false, false, null, "other"]);
});

const REPLY = (content) => utf8.encode(JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }] }));
const CONFIG = JSON.stringify({ model: "m", providers: [{ kind: "openai", base_url: "https://example.org", stream: false }] });
const ready = (tree = new Tree()) => {
  const agent = new Agent(module, tree);
  const fresh = agent.memory.slice();
  agent.ask("clawft_init", CONFIG);
  return { agent, fresh, tree };
};

test("turns of several sessions are in flight at a time, and end in any order", async () => {
  const open = new Map();
  const turns = new Turns(ready().agent, { run: (call, reply) => open.set(JSON.parse(text(call.body)).messages.at(-1).content, reply) });
  const begun = ["a", "b", "c"].map((session) => turns.start(session, `from ${session}`).answer);
  const busy = await turns.start("a", "again").answer;
  assert.equal(busy.error.code, "busy");
  assert.equal(turns.most, 3);
  for (const name of ["from c", "from a", "from b"]) open.get(name)({ head: { status: 200, headers: {} }, body: REPLY(`to ${name}`) });
  assert.deepEqual((await Promise.all(begun)).map(({ message }) => message.content), ["to from a", "to from b", "to from c"]);
  const { task, answer } = turns.start("a", "and stop");
  const { signal } = turns.tasks.get(task).end;
  turns.cancel(task);
  assert.equal((await answer).error.code, "cancelled");
  assert.equal(signal.aborted, true);
  assert.equal(turns.tasks.size, 0);
});

test("without a registry a call is answered: this host has no such thing", async () => {
  const { error } = await new Turns(ready().agent).start("s", "hello").answer;
  assert.equal(error.code, "unsupported");
});

test("the user is asked before a tool is run; who cannot be asked does not agree", async () => {
  const { writeCalls } = await import("../www/steps.js");
  // An agent that asks two things at a time, and says what it was told.
  const asking = () => {
    const told = [];
    return {
      start: () => 1,
      poll: () => ({ state: 1, bytes: writeCalls(1, [1, 2].map((call) => ({ op: 509, flags: 1, call, head: { name: `tool ${call}`, arguments: { a: 1 } }, body: new Uint8Array() }))) }),
      supply: (_, [{ call, head }]) => {
        told.push([call, head.approved]);
        return told.length < 2 ? { state: 1, bytes: writeCalls(1, []) } : { state: 0, bytes: utf8.encode(JSON.stringify({ ok: true, told })) };
      },
    };
  };
  const asked = [];
  const turns = new Turns(asking(), { ask: (session, { call, head }, decide) => asked.push({ session, call, name: head.name, decide }) });
  const { answer } = turns.start("s", "x");
  assert.deepEqual(asked.map(({ session, call, name }) => [session, call, name]), [["s", 1, "tool 1"], ["s", 2, "tool 2"]]);
  asked[1].decide(true);
  asked[0].decide(false);
  assert.deepEqual((await answer).told, [[2, true], [1, false]]);
  assert.deepEqual((await new Turns(asking()).start("s", "x").answer).told, [[1, false], [2, false]]);
});

test("an image of an agent in the middle of a turn goes on in another instance, and again", async () => {
  const { agent, fresh, tree } = ready();
  const earlier = new Turns(agent, { run: (_call, reply) => queueMicrotask(() => reply({ head: { status: 200, headers: {} }, body: REPLY("before") })) });
  for (let i = 0; i < 20; i += 1) await earlier.start("s", `turn ${i}`).answer;
  const task = agent.start("s", "in the middle");
  const { calls } = (await import("../www/steps.js")).readCalls(agent.poll(task).bytes);
  const start = performance.now();
  const raw = take(agent, fresh, { sha256: "module", task });
  const taken = performance.now() - start;
  const packed = await pack(raw);
  console.log(`# an image after 20 turns: ${packed.length} bytes gzip, ${raw.length} raw, taken in ${taken.toFixed(2)} ms`);
  // Another instance, whose files are as they were.
  for (let again = 0; again < 2; again += 1) {
    const copy = new Tree();
    for (const { path, node } of tree.walk()) node.names ? copy.mkdir(path) : copy.write(path, tree.read(path));
    const other = new Agent(module, copy);
    const image = await unpack(packed);
    put(other, fresh, image, "module");
    const over = other.supply(task, [{ call: calls[0].call, head: { status: 200, headers: {} }, body: REPLY("went on") }]);
    assert.equal(over.state, 0);
    assert.equal(JSON.parse(text(over.bytes)).message.content, "went on");
    assert.equal(JSON.parse(text(over.bytes)).usage.history, 42);
    assert.throws(() => put(other, fresh, image, "another"), /is of the module module/);
  }
});

test("505: save, ten turns, restore: the same answers as the first time", async () => {
  const registry = new Registry({ snapshot: { max: 1 } }, { images: new Map(), saveImage: async (name) => (registry.host.images.set(name, 1), 5), dropImage: async (name) => registry.host.images.delete(name), restoreImage: async () => undefined });
  snapshot.forEach((spec) => registry.register(spec));
  assert.deepEqual((await one(registry, 505, { do: "save", name: "a" })).head, { bytes: 5, restored: false });
  assert.equal((await one(registry, 505, { do: "save", name: "b" })).status, STATUS.denied);
  assert.deepEqual((await one(registry, 505, { do: "list" })).head, { names: ["a"] });
  assert.equal((await one(registry, 505, { do: "restore", name: "c" })).status, STATUS.notFound);
  assert.equal((await one(registry, 505, { do: "save", name: "../x" })).status, STATUS.invalid);
  assert.equal((await one(registry, 505, { do: "drop", name: "a" })).status, 0);
  const { agent, fresh, tree } = ready();
  const talk = (on) => Array.from({ length: 10 }, (_, i) => on.ask("clawft_process_message", "s", `read ${i}.txt`)).map((one) => one.replace(/"timestamp_ms":\d+/g, ""));
  const image = await unpack(await pack(take(agent, fresh, { sha256: "m" })));
  const first = talk(agent);
  [...tree.root.names.keys()].forEach((name) => tree.remove(name));
  put(agent, fresh, image, "m");
  assert.deepEqual(talk(agent), first);
});

test("errors of calls are known by number to the agent", () => {
  const source = readFileSync(new URL("../../clawft-types/src/error.rs", import.meta.url), "utf8");
  const numbers = Object.fromEntries([...source.matchAll(/^\s+(\w+) = (\d+), "/gm)].map(([, name, number]) => [name, -Number(number)]));
  const names = { invalid: "InvalidArguments", notFound: "NotFound", noKey: "NotFound", permission: "PermissionDenied", tooLarge: "TooLarge", io: "Io", unavailable: "Unsupported", failed: "ProviderFailed", interrupted: "Interrupted", timedOut: "TimedOut", conflict: "Conflict", cancelled: "Cancelled", denied: "HostNotAllowed" };
  assert.deepEqual(Object.fromEntries(Object.entries(names).map(([status, name]) => [status, numbers[name]])), STATUS);
  assert.ok(new HostError("denied", "x") instanceof Error);
});

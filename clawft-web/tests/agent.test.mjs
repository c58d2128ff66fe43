// The reactor through our shim in node: the transcript as with node's own WASI, frames both ways,
// and what is no frame.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WASI } from "node:wasi";
import { Agent, readCalls, readResults, writeCalls, writeResults } from "../www/steps.js";
import { Tree } from "../www/tree.js";

const module = new WebAssembly.Module(readFileSync(process.env.REACTOR));
const transcript = JSON.parse(readFileSync(new URL("../../clawft-wasm/tests/transcript.json", import.meta.url)));

// Clocks aside: only digits that stand for a time differ.
export const timeless = (text) => text.replace(/"(\w*(?:time|_ms|at))":\d+/g, '"$1":0');

// The same calls on an instance in node's own WASI.
class Other extends Agent {
  static on(folder) {
    const wasi = new WASI({ version: "preview1", preopens: { "/": folder } });
    const instance = new WebAssembly.Instance(module, wasi.getImportObject());
    wasi.initialize(instance);
    const agent = Object.create(Agent.prototype);
    agent.exports = instance.exports;
    return agent;
  }
}

function play(agent) {
  const said = [agent.ask("clawft_init", JSON.stringify(transcript.config))];
  for (const { session, message } of transcript.messages) said.push(agent.ask("clawft_process_message", session, message));
  said.push(agent.ask("clawft_capabilities"));
  return said.map(timeless);
}

function onDisk(folder, path = "") {
  return readdirSync(join(folder, path)).flatMap((name) => {
    const at = path ? `${path}/${name}` : name;
    return statSync(join(folder, at)).isDirectory() ? onDisk(folder, at) : [[at, readFileSync(join(folder, at), "utf8")]];
  });
}

test("the transcript answers as in node's own WASI, and leaves the same files", () => {
  const folder = mkdtempSync(join(tmpdir(), "web-"));
  const tree = new Tree();
  const [ours, theirs] = [play(new Agent(module, tree)), play(Other.on(folder))];
  assert.equal(ours.length, transcript.messages.length + 2);
  assert.ok(ours.filter((answer) => answer.startsWith('{"ok":true')).length >= 12);
  ours.forEach((answer, i) => assert.equal(answer, theirs[i], `answer ${i}`));
  const files = [...tree.walk()].filter(({ node }) => !node.names).map(({ path }) => [path, new TextDecoder().decode(tree.read(path))]);
  const clean = (all) => all.map(([path, text]) => [path, timeless(text)]).sort();
  assert.deepEqual(clean(files), clean(onDisk(folder)));
  assert.ok(files.some(([path]) => path === "notes/plan.txt"));
  rmSync(folder, { recursive: true });
});

test("steps answer as process_message does", () => {
  const [whole, steps] = [new Agent(module, new Tree()), new Agent(module, new Tree())];
  for (const agent of [whole, steps]) agent.ask("clawft_init", "{}");
  // A message that begins with a brace is JSON there, and text here.
  for (const { session, message } of transcript.messages.filter((one) => !one.message.startsWith("{"))) {
    const task = steps.start(session, message);
    const answer = task > 0 ? new TextDecoder().decode(steps.poll(task).bytes) : new TextDecoder().decode(steps.last());
    const expected = JSON.parse(whole.ask("clawft_process_message", session, message));
    assert.equal(JSON.parse(answer).message?.content, expected.message?.content, message);
    assert.equal(JSON.parse(answer).error?.code, expected.error?.code, message);
  }
});

test("a provider over HTTP is a call in a frame, and its answer is supplied", () => {
  const agent = new Agent(module, new Tree());
  const config = { model: "m", providers: [{ name: "p", kind: "openai", base_url: "https://example.org/v1", credential: "k", stream: false }] };
  assert.equal(JSON.parse(agent.ask("clawft_init", JSON.stringify(config))).ok, true);
  const task = agent.start("s", "how are you?");
  const { state, bytes } = agent.poll(task);
  assert.equal(state, 1);
  const { task: named, calls } = readCalls(bytes);
  assert.equal(named, task);
  assert.equal(calls.length, 1);
  const [{ op, flags, call, head, body }] = calls;
  assert.deepEqual([op, flags, head.method, head.url, head.credential.name], [500, 2, "POST", "https://example.org/v1/chat/completions", "k"]);
  assert.equal(JSON.parse(new TextDecoder().decode(body)).model, "m");
  const reply = JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content: "fine" }, finish_reason: "stop" }] });
  const headers = { "content-type": "application/json" };
  // What nobody waits for is passed over; then head and body, in two parts.
  assert.equal(agent.supply(task, [{ call: call + 7, head: { status: 200 } }]).state, 1);
  assert.equal(agent.supply(task, [{ call, more: true, head: { status: 200, headers }, body: new TextEncoder().encode(reply.slice(0, 9)) }]).state, 1);
  const over = agent.supply(task, [{ call, body: new TextEncoder().encode(reply.slice(9)) }]);
  assert.equal(over.state, 0);
  assert.equal(JSON.parse(new TextDecoder().decode(over.bytes)).message.content, "fine");
});

test("frames are read as they were written, of any size and with zero heads", () => {
  const body = (length) => Uint8Array.from({ length }, (_, i) => i * 7);
  for (const length of [0, 1, 2, 3, 4, 5, 1000]) {
    const calls = [
      { op: 500, flags: 2, call: 0xffffffff, head: { url: "ü" }, body: body(length) },
      { op: 65535, flags: 65535, call: 1, head: {}, body: body(3) },
    ];
    assert.deepEqual(readCalls(writeCalls(9, calls)), { task: 9, calls });
    const results = [{ call: 3, status: -36, more: true, head: { a: 1 }, body: body(length) }];
    assert.deepEqual(readResults(writeResults(2 ** 31, results)), { task: 2 ** 31, results });
  }
  assert.deepEqual(readResults(writeResults(1, [{ call: 1 }])).results[0].head, {});
});

test("what is no frame is refused with its place, cut and changed at every byte", () => {
  const frame = writeCalls(1, [{ op: 500, flags: 0, call: 1, head: { a: "b" }, body: new Uint8Array(5) }, { op: 508, flags: 1, call: 2, head: {}, body: new Uint8Array() }]);
  for (let length = 0; length < frame.length; length += 1) assert.throws(() => readCalls(frame.slice(0, length)), /byte \d+/);
  let refused = 0;
  for (let at = 0; at < frame.length; at += 1) {
    for (const bit of [1, 0x80]) {
      const changed = frame.slice();
      changed[at] ^= bit;
      try {
        readCalls(changed);
      } catch (error) {
        assert.match(String(error), /^RangeError: a frame: what stands at byte \d+/);
        refused += 1;
      }
    }
  }
  assert.ok(refused > 40, `${refused} were refused`);
  const huge = frame.slice();
  new DataView(huge.buffer).setUint32(24, 0xffffffff, true);
  assert.throws(() => readCalls(huge), /byte 16 is not a whole record/);
  // The agent refuses what is none, and goes on.
  const agent = new Agent(module, new Tree());
  agent.ask("clawft_init", JSON.stringify({ model: "m", providers: [{ kind: "openai", base_url: "https://example.org" }] }));
  const task = agent.start("s", "hello");
  assert.equal(agent.poll(task).state, 1);
  assert.equal(agent.call("clawft_supply", [task], frame), -14);
  assert.equal(agent.cancel(task).state, 0);
  assert.equal(JSON.parse(new TextDecoder().decode(agent.last())).error.code, "cancelled");
});

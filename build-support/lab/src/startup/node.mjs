// Measures how long node takes to start a wasip1 reactor of the agent. Takes one argument, JSON:
//   {file, root, config: text | null, session, message, cold: samples, warm: samples}
// Prints {cold: [{instance, configured, answered}, ...], warm: [...]}, nanoseconds since the beginning of the sample.
// Whatever goes wrong ends the process with an error: a crash is no sample.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { WASI } from "node:wasi";

const job = JSON.parse(process.argv[2]);
const bytes = readFileSync(job.file);
// Thrown away: the first ones pay for what a process does once. None where only one start is wanted.
const WARM_UP = job.cold + job.warm > 1 ? 3 : 0;

// The bytes with a custom section that no others have: V8 would take the code of a module with the same bytes.
let copies = 0;
function distinct() {
  const section = Buffer.alloc(8);
  section.set([0, 6, 1, "n".charCodeAt(0)]);
  section.writeUInt32LE(copies++, 4);
  return Buffer.concat([bytes, section]);
}

function pass(exports, text) {
  const utf8 = Buffer.from(text, "utf8");
  const at = exports.clawft_alloc(utf8.length);
  if (at === 0 && utf8.length > 0) throw new Error(`no memory for ${utf8.length} bytes`);
  Buffer.from(exports.memory.buffer, at, utf8.length).set(utf8);
  return [at, utf8.length];
}

function call(exports, name, texts) {
  const passed = texts.map((text) => pass(exports, text));
  const status = exports[name](...passed.flat());
  for (const text of passed) exports.clawft_free(...text);
  const at = exports.clawft_answer_ptr() >>> 0;
  const answer = Buffer.from(exports.memory.buffer, at, exports.clawft_answer_len()).toString("utf8");
  return { status, answer };
}

// `load` gives a module; it is within the clock.
function sample(load) {
  const root = mkdtempSync(join(job.root, "agent-"));
  const begin = process.hrtime.bigint();
  const passed = () => Number(process.hrtime.bigint() - begin);
  const module = load();
  const wasi = new WASI({ version: "preview1", preopens: { "/": root } });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject());
  wasi.initialize(instance);
  const times = { instance: passed() };
  const configured = job.config === null ? null : call(instance.exports, "clawft_init", [job.config]);
  times.configured = passed();
  const { answer } = call(instance.exports, "clawft_process_message", [job.session, job.message]);
  times.answered = passed();
  rmSync(root, { recursive: true });
  if (configured !== null && configured.status !== 0) throw new Error(`init: ${configured.answer}`);
  if (JSON.parse(answer).ok !== true) throw new Error(`the first answer is no answer: ${answer}`);
  return times;
}

function samples(count, prepare) {
  if (count === 0) return [];
  const taken = [];
  for (let i = 0; i < WARM_UP + count; i++) taken.push(sample(prepare()));
  return taken.slice(WARM_UP);
}

const cold = samples(job.cold, () => {
  const fresh = distinct();
  return () => new WebAssembly.Module(fresh);
});
const compiled = new WebAssembly.Module(bytes);
const warm = samples(job.warm, () => () => compiled);
process.stdout.write(JSON.stringify({ cold, warm }));

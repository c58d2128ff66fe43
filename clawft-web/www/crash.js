// What must outlive the page: calls that are open, and images of the running agent. `here` is what
// `worker.js` has.
import { check, pack, put, take, unpack } from "./image.js";
import { KIND } from "./log.js";
import * as tar from "./tar.js";

const INTERRUPTED = -30;

/**
 * At every sent call: it is saved before anything goes out.
 * @param {any} here @param {number} task @param {string} session @param {any[]} calls
 */
export async function sent(here, task, session, calls) {
  for (const { op, flags, call, head, body } of calls) {
    const repeatable = (flags & 1) === 1 || here.registry?.repeatable({ op, head }) === true;
    const message = here.message?.[session];
    const kept = repeatable && body.length ? { body: [...body] } : {};
    here.store.note(KIND.sent, { call, task, session, op, flags, head, repeatable, message, ...kept });
  }
  if (here.example.optimizations.snapshot) await automatic(here);
  await here.save();
}

/**
 * The image that a turn goes on from after a crash. Its files are those of the log.
 * @param {any} here
 */
async function automatic(here) {
  const packed = await pack(take(here.agent, here.fresh, { sha256: here.example.module.sha256 }));
  here.store?.image("", packed);
  here.imageBytes = packed.length;
}

/**
 * @param {any} here @param {any} call
 * @param {any} result
 */
export function answered(here, call, result) {
  if (!here.store?.calls.has(call.call)) return;
  here.store.note(KIND.answered, { call: call.call, status: result.status ?? 0, bytes: result.body?.length ?? 0 });
}

/**
 * At the end of a turn: of those that go on there is an image, of none there is none.
 * @param {any} here @param {string} session
 */
export async function over(here, session) {
  here.store.note(KIND.turn, { session, time: Date.now(), device: here.device });
  if (!here.store.images.has("")) return;
  if (here.turns.tasks.size) await automatic(here);
  else here.store.image("");
}

/**
 * Calls that were open when the page went away: sent again, or the turn is told.
 * @param {any} here
 */
export async function resume(here) {
  const open = [...here.store.calls.values()];
  if (!open.length) return;
  let image;
  try {
    const packed = here.store.images.get("")?.memory;
    image = packed && (await unpack(packed));
    if (image) put(here.agent, here.fresh, image, here.example.module.sha256);
  } catch (error) {
    image = undefined;
    here.instance();
    here.post({ type: "note", text: String(error) });
  }
  for (const call of open) {
    const { session, op, message } = call;
    if (!image || !call.repeatable) {
      answered(here, call, { status: INTERRUPTED });
      here.post({ type: "interrupted", session, op, message });
    }
    if (!image) continue;
    const answer = here.turns.adopt(call.task, session, (/** @type {string} */ text) => here.post({ type: "delta", session, text }));
    answer.then((/** @type {any} */ value) => here.over(session, value)).catch((/** @type {unknown} */ error) => here.post({ type: "trap", why: String(error) }));
    const turn = here.turns.tasks.get(call.task);
    if (call.repeatable) here.turns.call(call.task, turn, { ...call, body: Uint8Array.from(call.body ?? []) });
    else queueMicrotask(() => here.turns.cancel(call.task));
  }
}

/**
 * An image with its files, under a name; gives the bytes of its memory.
 * @param {any} here @param {string} name @param {number} call that waits, and is answered when it is put back
 */
export async function saveImage(here, name, call) {
  const tasks = [...here.turns.tasks].map(([task, { session }]) => ({ task, session }));
  const raw = take(here.agent, here.fresh, { sha256: here.example.module.sha256, call, tasks });
  const files = tar.pack(tar.entries(here.tree));
  const image = { memory: await pack(raw), files: await pack(files) };
  here.store ? here.store.image(name, image.memory, image.files) : here.images.set(name, image);
  await here.save();
  return image.memory.length;
}

/**
 * @param {any} here @param {string} name
 */
export async function dropImage(here, name) {
  here.store ? here.store.image(name) : here.images.delete(name);
  await here.save();
}

/**
 * Goes on in an image: who waits for an answer gets that of the image's turn.
 * @param {any} here @param {string} name
 */
export async function restoreImage(here, name) {
  const { memory, files } = (here.store?.images ?? here.images).get(name);
  const image = await unpack(memory);
  check(image, here.example.module.sha256);
  const archive = new Uint8Array(await new Response(new Blob([files]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  const waiting = new Map([...here.turns.tasks].map(([, turn]) => [turn.session, turn]));
  for (const { path } of [...here.tree.walk()]) if (here.tree.find(path)) here.tree.remove(path);
  tar.extract(here.tree, archive);
  here.instance();
  put(here.agent, here.fresh, image, here.example.module.sha256);
  const none = () => undefined;
  for (const { task, session } of image.head.tasks) {
    const old = waiting.get(session);
    here.turns.tasks.set(task, { session, end: new AbortController(), show: old?.show ?? none, over: old?.over ?? none, failed: old?.failed ?? none });
    const head = { bytes: memory.length, restored: true };
    here.turns.step(task, here.agent.supply(task, [{ call: image.head.call, head }]));
  }
  await here.save();
}

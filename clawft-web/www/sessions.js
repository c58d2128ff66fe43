// Sessions beside the open one: listed, copied, renamed, deleted, exported and imported. `here` is
// what `worker.js` has.
import { Store } from "./store.js";
import * as tar from "./tar.js";

/** @param {any} here */
export const sessions = (here) => here.backend.sessions();

/** @param {any} here @param {{ name: string }} message */
export async function dropSession(here, { name }) {
  if (name === here.session) throw new Error("the session is open here");
  await exclusively(name, () => here.backend.remove(name));
}

/** @param {any} here @param {{ name?: string }} message */
async function exported(here, { name = here.session }) {
  if (name === here.session) return tar.pack(tar.entries(here.tree));
  return exclusively(name, () => opened(here, name, async (store) => tar.pack(tar.entries(store.tree))));
}

/** @param {any} here @param {{ name: string, archive: Uint8Array }} message */
async function imported(here, { name, archive }) {
  const found = await here.backend.sessions();
  if (found.some((/** @type {any} */ one) => one.name === name)) throw new Error(`there is a session ${name} already`);
  return exclusively(name, () =>
    opened(here, name, async (store) => {
      const count = tar.extract(store.tree, archive);
      await store.save();
      return count;
    }));
}

/** @param {any} here @param {{ name: string, to: string, keep?: boolean }} message */
export async function rename(here, { name, to, keep = false }) {
  const archive = await exported(here, { name });
  await imported(here, { name: to, archive });
  if (!keep && name !== here.session) await dropSession(here, { name });
}

/**
 * While nobody else has the session.
 * @param {string} name @param {() => Promise<any>} run
 */
async function exclusively(name, run) {
  return navigator.locks.request(`clawft:${name}`, { ifAvailable: true }, (lock) => {
    if (!lock) throw new Error(`the session ${name} is open in another tab`);
    return run();
  });
}

/** @param {any} here @param {string} name @param {(store: Store) => Promise<any>} run */
async function opened(here, name, run) {
  const store = await Store.open(await here.backend.files(name));
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}

export { exported as export, imported as import };

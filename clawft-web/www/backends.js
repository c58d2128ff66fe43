// Where the log of a session is kept: OPFS, else IndexedDB, else memory alone. Each gives the same
// handles to `store.js`.

const PATH = ["clawft", "v1"];
const BLOCK = 64 * 1024;

/** @typedef {import("./store.js").Files} Files */
/**
 * @typedef {{ kind: string, files(session: string): Promise<Files>, sessions(): Promise<{ name: string, bytes: number, time: number }[]>, remove(session: string): Promise<void> }} Backend
 */

/** The best there is. @returns {Promise<Backend>} */
export async function choose() {
  for (const make of [opfs, indexed]) {
    try {
      return await make();
    } catch {
      // The next one; the status line names what it came to.
    }
  }
  return memory();
}

/** @returns {Promise<Backend>} */
export async function opfs() {
  if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) throw new Error("no access handles");
  let root = await navigator.storage.getDirectory();
  for (const name of PATH) root = await root.getDirectoryHandle(name, { create: true });
  return {
    kind: "opfs",
    async files(session) {
      const folder = await root.getDirectoryHandle(session, { create: true });
      return {
        kind: "opfs",
        async list() {
          const names = [];
          for await (const name of /** @type {any} */ (folder).keys()) names.push(name);
          return names;
        },
        async open(name) {
          const file = await folder.getFileHandle(name, { create: true });
          return synchronous(await patiently(() => /** @type {any} */ (file).createSyncAccessHandle()));
        },
        remove: (name) => folder.removeEntry(name),
      };
    },
    async sessions() {
      const found = [];
      for await (const [name, folder] of /** @type {any} */ (root).entries()) {
        let [bytes, time] = [0, 0];
        for await (const file of folder.values()) {
          const { size, lastModified } = await file.getFile();
          [bytes, time] = [bytes + size, Math.max(time, lastModified)];
        }
        found.push({ name, bytes, time });
      }
      return found;
    },
    remove: (session) => root.removeEntry(session, { recursive: true }),
  };
}

/** Browsers let go of a handle late, after a reload: 3 s. @param {() => Promise<any>} open */
async function patiently(open) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await open();
    } catch (error) {
      if (tries >= 60 || !(error instanceof DOMException && error.name === "NoModificationAllowedError")) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** @param {any} handle */
function synchronous(handle) {
  return {
    read(/** @type {number} */ at, /** @type {number} */ length) {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, handle.read(bytes, { at }));
    },
    write(/** @type {Uint8Array} */ bytes, /** @type {number} */ at) {
      const count = handle.write(bytes, { at });
      if (count !== bytes.length) throw new DOMException(`${count} of ${bytes.length} bytes were written`, "QuotaExceededError");
    },
    flush: () => handle.flush(),
    truncate: (/** @type {number} */ size) => handle.truncate(size),
    size: () => handle.getSize(),
    close: () => handle.close(),
  };
}

/** The promise of a request. @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const asked = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
const over = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("another tab has taken the session", "AbortError"));
  });

const range = (/** @type {any[]} */ ...key) => IDBKeyRange.bound(key, [...key, []]);

/**
 * The files of a session in a database.
 * @param {IDBDatabase} db @param {string} session @returns {Promise<Files>}
 */
async function within(db, session) {
  // Who opened last is the owner: what another one still writes is refused, in the same
  // transaction.
  const owner = crypto.randomUUID();
  const begun = db.transaction("owners", "readwrite");
  begun.objectStore("owners").put(owner, session);
  await over(begun);
  const write = (/** @type {(blocks: IDBObjectStore, files: IDBObjectStore) => void} */ run) => {
    const transaction = db.transaction(["blocks", "files", "owners"], "readwrite", { durability: "strict" });
    const known = transaction.objectStore("owners").get(session);
    known.onsuccess = () => (known.result === owner ? run(transaction.objectStore("blocks"), transaction.objectStore("files")) : transaction.abort());
    return over(transaction);
  };
  return {
    kind: "indexeddb",
    list: async () => (await asked(db.transaction("files").objectStore("files").getAllKeys(range(session)))).map((key) => /** @type {string[]} */ (key)[1]),
    async open(name) {
      const blocks = await asked(db.transaction("blocks").objectStore("blocks").getAll(range(session, name)));
      const file = await asked(db.transaction("files").objectStore("files").get([session, name]));
      let [data, size] = [new Uint8Array(blocks.length * BLOCK), file?.bytes ?? 0];
      blocks.forEach((block, i) => data.set(block, i * BLOCK));
      /** @type {Set<number>} */
      let changed = new Set();
      return {
        read: (at, length) => data.slice(at, Math.min(at + length, size)),
        write(bytes, at) {
          const end = at + bytes.length;
          if (end > data.length) {
            const larger = new Uint8Array(Math.max(Math.ceil(end / BLOCK) * BLOCK, data.length * 2));
            larger.set(data);
            data = larger;
          }
          data.set(bytes, at);
          size = Math.max(size, end);
          for (let i = Math.floor(at / BLOCK); i * BLOCK < end; i += 1) changed.add(i);
        },
        async flush() {
          const dirty = changed;
          changed = new Set();
          try {
            await write((to, files) => {
              for (const i of dirty) to.put(data.slice(i * BLOCK, (i + 1) * BLOCK), [session, name, i]);
              files.put({ bytes: size, time: Date.now() }, [session, name]);
            });
          } catch (error) {
            dirty.forEach((i) => changed.add(i));
            throw error;
          }
        },
        truncate: (to) => (size = Math.min(size, to)),
        size: () => size,
        close: () => undefined,
      };
    },
    remove: (name) =>
      write((blocks, files) => {
        blocks.delete(range(session, name));
        files.delete([session, name]);
      }),
  };
}

/** The same log in blocks of 64 KiB. @returns {Promise<Backend>} */
export async function indexed() {
  const request = indexedDB.open("clawft", 1);
  request.onupgradeneeded = () => ["blocks", "files", "owners"].forEach((name) => request.result.createObjectStore(name));
  const db = await asked(request);
  return {
    kind: "indexeddb",
    files: (session) => within(db, session),
    async sessions() {
      /** @type {Map<string, { name: string, bytes: number, time: number }>} */
      const found = new Map();
      const files = db.transaction("files").objectStore("files");
      const [keys, values] = await Promise.all([asked(files.getAllKeys()), asked(files.getAll())]);
      keys.forEach((key, i) => {
        const name = /** @type {string[]} */ (key)[0];
        const old = found.get(name);
        found.set(name, { name, bytes: (old?.bytes ?? 0) + values[i].bytes, time: Math.max(old?.time ?? 0, values[i].time) });
      });
      return [...found.values()];
    },
    remove(session) {
      const transaction = db.transaction(["blocks", "files", "owners"], "readwrite");
      transaction.objectStore("blocks").delete(range(session));
      transaction.objectStore("files").delete(range(session));
      transaction.objectStore("owners").delete(session);
      return over(transaction);
    },
  };
}

/** What is lost when the tab is closed. @returns {Backend} */
export function memory() {
  /** @type {Map<string, Map<string, Uint8Array>>} */
  const all = new Map();
  const of = (/** @type {string} */ session) => all.get(session) ?? all.set(session, new Map()).get(session) ?? new Map();
  return {
    kind: "memory",
    files: async (session) => ({
      kind: "memory",
      list: async () => [...of(session).keys()],
      async open(name) {
        const files = of(session);
        if (!files.has(name)) files.set(name, new Uint8Array());
        const get = () => files.get(name) ?? new Uint8Array();
        return {
          read: (at, length) => get().slice(at, at + length),
          write(bytes, at) {
            const to = new Uint8Array(Math.max(get().length, at + bytes.length));
            to.set(get());
            to.set(bytes, at);
            files.set(name, to);
          },
          flush: () => undefined,
          truncate: (size) => void files.set(name, get().slice(0, size)),
          size: () => get().length,
          close: () => undefined,
        };
      },
      remove: async (name) => void of(session).delete(name),
    }),
    sessions: async () => [...all].map(([name, files]) => ({ name, bytes: [...files.values()].reduce((sum, { length }) => sum + length, 0), time: 0 })),
    remove: async (session) => void all.delete(session),
  };
}

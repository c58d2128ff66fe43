// Keys of providers, in the worker alone. Each is bound to one origin; a remembered one lies in
// IndexedDB, encrypted with a key that cannot be exported. That keeps it out of backups and other
// programs' hands, not from a script that runs in this page.

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const asked = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @returns {Promise<IDBDatabase>} */
async function database() {
  const request = indexedDB.open("clawft-vault", 1);
  request.onupgradeneeded = () => ["keys", "wrapping"].forEach((name) => request.result.createObjectStore(name));
  return asked(request);
}

export class Vault {
  /** @type {Map<string, { origin: string, secret: string, remembered: boolean }>} */
  #keys = new Map();

  /**
   * @param {string} name
   * @param {string} origin
   * @returns {string | undefined} the key, for its own origin alone
   */
  secret(name, origin) {
    const known = this.#keys.get(name);
    return known?.origin === origin ? known.secret : undefined;
  }

  /** What a spawned agent gets. */
  all() {
    return [...this.#keys].map(([name, { origin, secret }]) => ({ name, origin, secret }));
  }

  /** Names and origins, without the keys. */
  list() {
    return [...this.#keys].map(([name, { origin, remembered }]) => ({ name, origin, remembered }));
  }

  /** @param {string} name @param {string} origin @param {string} secret */
  async set(name, origin, secret, remember = false) {
    if (new URL(origin).origin !== origin) throw new Error(`${origin} is no origin`);
    if (/[^\x21-\x7e]/.test(secret) || !secret) throw new Error("a key is printable ASCII, without spaces");
    this.#keys.set(name, { origin, secret, remembered: remember });
    if (!remember) return this.forget(name, false);
    const db = await database();
    try {
      const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
      const wrapping = db.transaction("wrapping", "readwrite").objectStore("wrapping");
      const known = await asked(wrapping.get("key"));
      if (!known) await asked(wrapping.put(fresh, "key"));
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const wrapped = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8.encode(`${name} ${origin}`) }, known ?? fresh, utf8.encode(secret));
      await asked(db.transaction("keys", "readwrite").objectStore("keys").put({ origin, iv, wrapped }, name));
    } finally {
      db.close();
    }
  }

  /** Those that are remembered. */
  async load() {
    const db = await database();
    try {
      const key = await asked(db.transaction("wrapping").objectStore("wrapping").get("key"));
      const keys = db.transaction("keys").objectStore("keys");
      const [names, values] = await Promise.all([asked(keys.getAllKeys()), asked(keys.getAll())]);
      for (const [i, { origin, iv, wrapped }] of values.entries()) {
        const name = String(names[i]);
        const secret = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: utf8.encode(`${name} ${origin}`) }, key, wrapped);
        this.#keys.set(name, { origin, secret: text.decode(secret), remembered: true });
      }
    } finally {
      db.close();
    }
  }

  /** @param {string} name @param {boolean} [here] whether it goes out of this page as well */
  async forget(name, here = true) {
    if (here) this.#keys.delete(name);
    const db = await database();
    await asked(db.transaction("keys", "readwrite").objectStore("keys").delete(name));
    db.close();
  }
}

// 504 host_crypto: random numbers, digests, signatures and encryption. Keys are named, cannot be
// exported, and stay here.
import { HostError } from "./hostcalls.js";

const HASHES = ["SHA-256", "SHA-384", "SHA-512"];
const MAX_RANDOM = 65_536;
/** @type {Record<string, { make: any, usages: KeyUsage[] }>} */
const KEYS = { HMAC: { make: { name: "HMAC", hash: "SHA-256" }, usages: ["sign", "verify"] }, "AES-GCM": { make: { name: "AES-GCM", length: 256 }, usages: ["encrypt", "decrypt"] } };

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const asked = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * The key of this name; it is made when it is first used.
 * @param {string} name
 * @param {string} algorithm
 * @returns {Promise<CryptoKey>}
 */
async function keyOf(name, algorithm) {
  const { make, usages } = KEYS[algorithm];
  const request = indexedDB.open("clawft-keys", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("keys");
  const db = await asked(request);
  try {
    const id = `${algorithm}:${name}`;
    const fresh = await crypto.subtle.generateKey(make, false, usages);
    const store = db.transaction("keys", "readwrite").objectStore("keys");
    const known = await asked(store.get(id));
    if (!known) await asked(store.put(fresh, id));
    return known ?? fresh;
  } finally {
    db.close();
  }
}

/** @type {import("./hostcalls.js").Spec[]} */
export const calls = [
  {
    op: 504,
    name: "host_crypto",
    grant: "crypto",
    repeatable: (head) => ["random", "digest", "verify", "decrypt"].includes(head.do),
    async run({ head, body }, { grant }) {
      const { do: what, key, bytes = 32 } = head;
      if (!["random", "digest", "sign", "verify", "encrypt", "decrypt"].includes(what)) throw new HostError("invalid", `${what}: random, digest, sign, verify, encrypt or decrypt`);
      if (!grant.do?.includes(what)) throw new HostError("denied", `${what} is not granted`);
      if (what === "random") {
        if (!Number.isInteger(bytes) || bytes < 1 || bytes > MAX_RANDOM) throw new HostError("invalid", `bytes: 1 to ${MAX_RANDOM}`);
        return { body: crypto.getRandomValues(new Uint8Array(bytes)) };
      }
      if (what === "digest") {
        const { algorithm = "SHA-256" } = head;
        if (!HASHES.includes(algorithm)) throw new HostError("invalid", `algorithm ${algorithm}: ${HASHES.join(", ")}`);
        return { body: new Uint8Array(await crypto.subtle.digest(algorithm, body)) };
      }
      if (!grant.keys?.includes(key)) throw new HostError("denied", `the key ${key} is not granted`);
      if (what === "sign") return { body: new Uint8Array(await crypto.subtle.sign("HMAC", await keyOf(key, "HMAC"), body)) };
      if (what === "verify") {
        const signature = Uint8Array.from((String(head.signature).match(/../g) ?? []).map((digits) => parseInt(digits, 16)));
        return { head: { valid: await crypto.subtle.verify("HMAC", await keyOf(key, "HMAC"), signature, body) } };
      }
      const secret = await keyOf(key, "AES-GCM");
      if (what === "encrypt") {
        const iv = crypto.getRandomValues(new Uint8Array(12));
        return { body: new Uint8Array([...iv, ...new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, secret, body))]) };
      }
      try {
        return { body: new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: body.subarray(0, 12) }, secret, body.subarray(12))) };
      } catch {
        throw new HostError("failed", "it was not encrypted with this key, or is damaged");
      }
    },
  },
];

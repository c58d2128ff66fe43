// 500 host_fetch: a request to an origin that the example is granted. The key is added here, and
// goes nowhere else.
import { HostError, inParts } from "./hostcalls.js";

const MAX = 8 * 1024 * 1024;

/** @type {import("./hostcalls.js").Spec[]} */
export const calls = [
  {
    op: 500,
    name: "host_fetch",
    grant: "fetch",
    repeatable: (head) => ["GET", "HEAD"].includes(head.method ?? "GET"),
    async run({ head, body, flags }, { grant, signal, part, progress, host, key }) {
      const { method = "GET", headers = {}, credential } = head;
      const url = address(head.url);
      if (!grant.origins.includes(url.origin)) throw new HostError("denied", `${url.origin} is not granted`);
      if (!(grant.methods ?? ["GET"]).includes(method)) throw new HostError("denied", `${method} is not granted`);
      const sent = new Headers(headers);
      const redirects = grant.redirects === true && !credential;
      if (credential) {
        const secret = host.vault?.secret(credential.name, url.origin);
        if (secret === undefined) throw new HostError("noKey", `there is no key ${credential.name} for ${url.origin}`);
        sent.set(credential.header, (credential.prefix ?? "") + secret);
      }
      if (grant.idempotencyHeader) sent.set("Idempotency-Key", `${host.session}-${key}`);
      const response = await fetch(url, {
        method, headers: sent, signal, body: body.length ? body : undefined,
        redirect: redirects ? "follow" : "error", credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
      });
      progress();
      const from = new URL(response.url || url.href).origin;
      if (!grant.origins.includes(from)) throw new HostError("denied", `it led to ${from}, which is not granted`);
      const answer = { status: response.status, url: response.url, headers: Object.fromEntries(response.headers) };
      const most = grant.maxResponse ?? MAX;
      const reader = response.body?.getReader();
      const parts = [];
      let sum = 0;
      if (flags & 2) part({ more: true, head: answer });
      for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
        progress();
        sum += read.value.length;
        if (sum > most) {
          await reader?.cancel();
          throw new HostError("tooLarge", `the answer has more than ${most} bytes`);
        }
        flags & 2 ? inParts(read.value, part) : parts.push(read.value);
      }
      if (flags & 2) return { head: undefined };
      return { head: answer, body: new Uint8Array(await new Blob(parts).arrayBuffer()) };
    },
  },
];

/** @param {unknown} url */
function address(url) {
  try {
    return new URL(String(url));
  } catch {
    throw new HostError("invalid", `${url} is no address`);
  }
}

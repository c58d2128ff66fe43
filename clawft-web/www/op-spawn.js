// 503 host_spawn: a second agent in a worker of its own, without storage and with at most its
// parent's grants.
import { HostError } from "./hostcalls.js";

let running = 0;

/**
 * What a child may do: what its parent may, but for storage, snapshots and children of its own.
 * @param {any} parent
 * @param {any} config
 */
export function childOf(parent, config) {
  const hypercalls = parent.hypercalls.filter((/** @type {string} */ name) => ["host_fetch", "host_crypto"].includes(name));
  const grants = { ...(hypercalls.includes("host_fetch") && { fetch: parent.grants.fetch }), ...(hypercalls.includes("host_crypto") && { crypto: parent.grants.crypto }) };
  return {
    ...parent, hypercalls, grants, config: config ?? parent.config, hostcalls: [], files: null,
    optimizations: { ...parent.optimizations, persistence: false, autoSaveInterval: null, snapshot: false, sync: false, tasks: 1, preinit: false },
  };
}

/** @type {import("./hostcalls.js").Spec[]} */
export const calls = [
  {
    op: 503,
    name: "host_spawn",
    grant: "spawn",
    async run({ head }, { grant, host, signal }) {
      if (running >= Math.min(grant.max ?? 1, 4)) throw new HostError("denied", `${running} are running, more are not granted`);
      if (typeof head.message !== "string") throw new HostError("invalid", "message: expected a text");
      running += 1;
      const worker = host.worker();
      try {
        const answer = await new Promise((resolve, reject) => {
          const end = () => reject(signal.reason);
          signal.aborted ? end() : signal.addEventListener("abort", end, { once: true });
          worker.onerror = (/** @type {ErrorEvent} */ event) => reject(new HostError("failed", event.message || "the worker did not start"));
          worker.onmessage = (/** @type {MessageEvent} */ { data }) => {
            if (data.id === 2 || data.error) data.error ? reject(new HostError("failed", data.error)) : resolve(data.value);
          };
          const example = childOf(host.example, head.config);
          worker.postMessage({ id: 1, do: "open", example, base: host.base, module: host.plain(), session: head.session ?? "spawned", secrets: host.vault?.all() ?? [] });
          worker.postMessage({ id: 2, do: "say", text: head.message });
        });
        return { head: {}, body: new TextEncoder().encode(JSON.stringify(answer)) };
      } finally {
        worker.terminate();
        running -= 1;
      }
    },
  },
];

// 501 host_fs_write and 502 host_fs_read: files in OPFS beside the agent's own, for what need not
// pass through its memory.
import { HostError } from "./hostcalls.js";

/**
 * The folder and the last name of a path that is granted.
 * @param {string} path
 * @param {any} grant
 * @param {any} host
 * @param {boolean} create
 * @returns {Promise<{ folder: any, name: string }>}
 */
async function place(path, grant, host, create) {
  const names = String(path).split("/");
  if (names.some((name) => !name || name === "." || name === ".." || name.includes("\\"))) throw new HostError("invalid", `${path} is no path`);
  if (!(grant.paths ?? []).some((/** @type {string} */ prefix) => path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`) || `${path}/` === prefix)) throw new HostError("denied", `${path} is not granted`);
  const name = /** @type {string} */ (names.pop());
  try {
    let folder = await navigator.storage.getDirectory();
    for (const one of ["clawft", "files", host.session || host.example.name, ...names]) folder = await folder.getDirectoryHandle(one, { create });
    return { folder, name };
  } catch (error) {
    throw missing(error, path);
  }
}

/** @param {unknown} error @param {string} path */
function missing(error, path) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotFoundError") return new HostError("notFound", `${path} is not there`);
  if (name === "QuotaExceededError") return new HostError("tooLarge", `there is no room for ${path}`);
  return error instanceof HostError ? error : new HostError(name === "SecurityError" ? "unavailable" : "io", `${path}: ${error instanceof Error ? error.message : error}`);
}

const etag = (/** @type {File} */ file) => `${file.size}-${file.lastModified}`;

/** @type {import("./hostcalls.js").Spec[]} */
export const calls = [
  {
    op: 501,
    name: "host_fs_write",
    grant: "fs",
    async run({ head, body }, { grant, host }) {
      const { path, mode = "replace" } = head;
      if (!["replace", "append", "remove"].includes(mode)) throw new HostError("invalid", `mode ${mode}: replace, append or remove`);
      const { folder, name } = await place(path, grant, host, mode !== "remove");
      try {
        const old = await folder.getFileHandle(name).then((/** @type {any} */ file) => file.getFile(), () => undefined);
        if (head.if !== undefined && head.if !== (old ? etag(old) : null)) throw new HostError("conflict", `${path} is another version`);
        if (mode === "remove") {
          await folder.removeEntry(name);
          return { head: { bytes: 0, etag: null } };
        }
        const from = mode === "append" ? old?.size ?? 0 : 0;
        if (from + body.length > (grant.maxBytes ?? 64 * 1024 * 1024)) throw new HostError("tooLarge", `${path} would have ${from + body.length} bytes`);
        const file = await folder.getFileHandle(name, { create: true });
        const handle = await file.createSyncAccessHandle();
        try {
          if (handle.write(body, { at: from }) !== body.length) throw new HostError("tooLarge", `there is no room for ${path}`);
          handle.truncate(from + body.length);
          handle.flush();
        } finally {
          handle.close();
        }
        return { head: { bytes: from + body.length, etag: etag(await file.getFile()) } };
      } catch (error) {
        throw missing(error, path);
      }
    },
  },
  {
    op: 502,
    name: "host_fs_read",
    grant: "fs",
    repeatable: true,
    async run({ head }, { grant, host }) {
      const { folder, name } = await place(head.path, grant, host, false);
      try {
        if (head.do === "list" || head.list) {
          const entries = [];
          for await (const [called, entry] of (await folder.getDirectoryHandle(name)).entries()) entries.push({ name: called, folder: entry.kind === "directory" });
          return { head: { entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)) } };
        }
        const file = await (await folder.getFileHandle(name)).getFile();
        const found = { bytes: file.size, etag: etag(file) };
        if (head.do === "stat" || head.stat) return { head: found };
        const from = Number(head.offset) || 0;
        const most = Math.min(Number(head.length) || Infinity, 2 * 1024 * 1024);
        return { head: found, body: new Uint8Array(await file.slice(from, from + most).arrayBuffer()) };
      } catch (error) {
        throw missing(error, head.path);
      }
    },
  },
];

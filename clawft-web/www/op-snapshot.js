// 505 host_snapshot: the running agent and its files, under a name. Restored, it goes on in the
// image, where the waiting call is answered.
import { HostError } from "./hostcalls.js";

/** @type {import("./hostcalls.js").Spec[]} */
export const calls = [
  {
    op: 505,
    name: "host_snapshot",
    grant: "snapshot",
    async run({ head, call }, { grant, host }) {
      const { do: what, name } = head;
      const images = host.store?.images ?? host.images;
      if (what === "list") return { head: { names: [...images.keys()].filter(Boolean) } };
      if (typeof name !== "string" || !/^[\w.-]{1,64}$/.test(name)) throw new HostError("invalid", "name: 1 to 64 of A-Z a-z 0-9 . _ -");
      if (what === "save") {
        const count = [...images.keys()].filter(Boolean).length;
        if (!images.has(name) && count >= (grant.max ?? 4)) throw new HostError("denied", `there are ${count} images, more are not granted`);
        const bytes = await host.saveImage(name, call);
        return { head: { bytes, restored: false } };
      }
      if (!images.has(name)) throw new HostError("notFound", `there is no image ${name}`);
      if (what === "drop") {
        await host.dropImage(name);
        return { head: { bytes: 0 } };
      }
      if (what !== "restore") throw new HostError("invalid", `${what}: save, restore, list or drop`);
      await host.restoreImage(name);
      // The call of this turn is no more: that of the image has been answered.
      return undefined;
    },
  },
];

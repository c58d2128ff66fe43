// 506 host_tool: a tool of the host, by the name that it was given to the agent with.
import { HostError } from "./hostcalls.js";

/** @type {Map<string, (args: any, signal: AbortSignal) => unknown>} */
export const tools = new Map(/** @type {[string, () => unknown][]} */ ([
  ["clock", () => new Date().toISOString()],
  ["about_browser", () => ({ language: navigator.language, online: navigator.onLine, cores: navigator.hardwareConcurrency })],
]));

/** @type {import("./hostcalls.js").Spec[]} */
export const calls = [
  {
    op: 506,
    name: "host_tool",
    grant: "tool",
    async run({ head }, { grant, signal }) {
      const { name, arguments: args = {} } = head;
      if (!grant.names?.includes(name)) throw new HostError("denied", `the tool ${name} is not granted`);
      const tool = tools.get(name);
      if (!tool) throw new HostError("unavailable", `there is no tool ${name}`);
      const output = await tool(args, signal);
      return { head: { output: typeof output === "string" ? output : JSON.stringify(output) } };
    },
  },
];

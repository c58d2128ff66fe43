// Headless Chromium over a pipe in the DevTools protocol, for pages with workers: several tabs, and
// profiles that outlive a kill.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const profile = () => mkdtempSync(join(tmpdir(), "web-profile-"));
export const forget = (folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 50 });

const KEYS = { Backspace: 8, Tab: 9, Enter: 13, Escape: 27, End: 35, Home: 36, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40, Space: 32 };

// Those that run: what a failed test leaves is ended after it, or node would wait for them.
export const running = new Set();

export function start(folder = profile(), more = []) {
  const args = [
    "--headless=new", "--remote-debugging-pipe", `--user-data-dir=${folder}`, "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
    "--disable-component-update", "--disable-extensions", "--disable-sync", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
    "--mute-audio", "--no-sandbox", ...more, "about:blank",
  ];
  const child = spawn(process.env.CHROMIUM ?? "chromium", args, { detached: true, stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [waiting, listeners] = [new Map(), new Set()];
  let [last, text] = [0, ""];
  child.stdio[3].on("error", () => undefined);
  child.stdio[4].setEncoding("utf8");
  child.stdio[4].on("data", (data) => {
    const messages = (text + data).split("\0");
    text = messages.pop();
    for (const message of messages.map((one) => JSON.parse(one))) {
      const asked = waiting.get(message.id);
      waiting.delete(message.id);
      if (!asked) listeners.forEach((listen) => listen(message));
      else if (message.error) asked.reject(new Error(`${asked.method}: ${message.error.message}`));
      else asked.resolve(message.result);
    }
  });
  const gone = new Promise((resolve) => child.once("exit", () => {
    running.delete(browser);
    for (const { method, reject } of waiting.values()) reject(new Error(`${method}: the browser has ended`));
    waiting.clear();
    resolve();
  }));
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { method, resolve, reject });
      child.stdio[3].write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
  const browser = {
    folder, send, listeners, gone,
    async stop() {
      send("Browser.close").catch(() => undefined);
      await gone;
    },
    // As a crash or the system would: all of its processes, which are a group of their own.
    async kill() {
      process.kill(-child.pid, "SIGKILL");
      await gone;
    },
    tab: (url, options) => tab({ send, listeners }, url, options),
    // Tabs with storage of their own, which goes with them.
    async context() {
      const { browserContextId } = await send("Target.createBrowserContext");
      return {
        tab: (url, options) => tab({ send, listeners }, url, { ...options, browserContextId }),
        close: () => send("Target.disposeBrowserContext", { browserContextId }),
      };
    },
  };
  running.add(browser);
  return browser;
}

// A tab, with its workers: what they complain of and ask for is the tab's.
async function tab({ send: all, listeners }, url, { width = 1000, height = 800, scale = 1, dark = false, page = "", watch = true, browserContextId } = {}) {
  const { targetId } = await all("Target.createTarget", { url: "about:blank", browserContextId });
  const { sessionId } = await all("Target.attachToTarget", { targetId, flatten: true });
  const send = (method, params) => all(method, params, sessionId);
  const [complaints, requests, workers, loads, crashes] = [[], [], new Map(), [], []];
  const mine = new Set([sessionId]);
  const listen = ({ sessionId: from, method, params }) => {
    if (method === "Target.attachedToTarget" && mine.has(from)) {
      mine.add(params.sessionId);
      workers.set(params.sessionId, params.targetInfo);
      const to = (what, with_) => all(what, with_, params.sessionId).catch(() => undefined);
      // In this order; a service worker answers none of it before it runs.
      for (const domain of ["Runtime", "Network"]) void to(`${domain}.enable`);
      if (params.targetInfo.type === "worker") void to("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: true, flatten: true });
      void to("Runtime.runIfWaitingForDebugger");
    }
    if (method === "Target.detachedFromTarget") workers.delete(params.sessionId);
    if (!mine.has(from)) return;
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled") complaints.push(`console: ${params.args.map((arg) => arg.value).join(" ")}`);
    if (method === "Log.entryAdded") complaints.push(`${params.entry.level}: ${params.entry.text} ${params.entry.url ?? ""}`);
    if (method === "Network.requestWillBeSent") requests.push({ id: params.requestId, url: params.request.url, by: workers.get(from)?.type ?? "page" });
    if (method === "Network.loadingFinished") Object.assign(requests.findLast((one) => one.id === params.requestId) ?? {}, { bytes: params.encodedDataLength });
    if (method === "Inspector.targetCrashed" && from === sessionId) crashes.splice(0).forEach((done) => done());
    if (method === "Page.loadEventFired" && from === sessionId) loads.splice(0).forEach((done) => done());
  };
  listeners.add(listen);
  for (const domain of ["Page", "Runtime", "Network", "Log"]) await send(`${domain}.enable`);
  if (watch) await send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: true, flatten: true });
  if (page) await send("Page.addScriptToEvaluateOnNewDocument", { source: page });
  await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: scale, mobile: false });
  await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
  const loaded = (act) => {
    const done = new Promise((resolve) => loads.push(resolve));
    return act().then(() => done);
  };
  const go = (to) => loaded(() => send("Page.navigate", { url: to }));
  const run = async (source) => {
    const { result, exceptionDetails } = await send("Runtime.evaluate", { expression: source, returnByValue: true, awaitPromise: true, userGesture: true, allowUnsafeEvalBlockedByCSP: false });
    if (exceptionDetails) throw new Error(`${exceptionDetails.exception?.description ?? exceptionDetails.text} in ${source}`);
    return result.value;
  };
  // Until it is so: the page is asked at every frame, for 20 seconds at most.
  const until = async (source, what = source) => {
    const end = Date.now() + 20_000;
    for (;;) {
      const value = await run(`(() => { try { return ${source} } catch { return false } })()`).catch((error) => {
        if (/Execution context|Cannot find context|navigat/i.test(error.message)) return false;
        throw error;
      });
      if (value) return value;
      if (Date.now() > end) throw new Error(`never so: ${what}; it shows ${await run("document.body.innerText")}; ${complaints.join("; ")}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  const press = async (key, text = undefined, modifiers = 0) => {
    const code = KEYS[key] ?? 0;
    const of = { key: key === "Space" ? " " : key, code: key, windowsVirtualKeyCode: code, nativeVirtualKeyCode: code, modifiers };
    await send("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...of });
    await send("Input.dispatchKeyEvent", { type: "keyUp", ...of });
  };
  const inWorker = async (source, at = 0) => {
    const id = [...workers].filter(([, info]) => info.type === "worker")[at]?.[0];
    const { result, exceptionDetails } = await all("Runtime.evaluate", { expression: source, returnByValue: true, awaitPromise: true, allowUnsafeEvalBlockedByCSP: false }, id);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const picture = async () => Buffer.from((await send("Page.captureScreenshot", { format: "png" })).data, "base64");
  const close = async () => {
    listeners.delete(listen);
    await all("Target.closeTarget", { targetId });
  };
  // Until its renderer is gone and the browser knows.
  const crashed = () => new Promise((resolve) => crashes.push(resolve));
  if (url) await go(url);
  return { targetId, send, go, run, until, press, type: (text) => send("Input.insertText", { text }), reload: () => loaded(() => send("Page.reload")), picture, inWorker, crashed, complaints, requests, workers, close };
}

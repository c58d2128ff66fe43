// Headless Chromium, driven over a pipe in the DevTools protocol: descriptor 3 takes requests, 4 gives answers and
// events, each ended by a zero byte. Nothing but node's own modules.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// Starts the browser with a profile of its own. `failed` hears what must end the run.
export function start(program, failed) {
  const profile = mkdtempSync(join(tmpdir(), "browser-"));
  const args = [
    "--headless=new", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync", "--disable-gpu",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--mute-audio",
    // As root there is no sandbox to be had; the page under test is our own, and may not reach the network.
    "--no-sandbox", "about:blank",
  ];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"] });
  const waiting = new Map();
  const listeners = [];
  let [last, text, errors] = [0, "", ""];
  child.on("error", (error) => failed(`${program}: ${error.message}`));
  child.on("exit", (code) => waiting.size && failed(`${program} ended (${code}): ${errors.slice(-2000)}`));
  child.stderr.on("data", (data) => (errors += data));
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
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { method, resolve, reject });
      child.stdio[3].write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });
  const stop = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await send("Browser.close");
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { send, stop, listen: (listener) => listeners.push(listener) };
}

// A tab with the file in it, and all that it asked of the network or complained of.
export async function open(browser, file, { width, height, dark }) {
  const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
  const send = (method, params) => browser.send(method, params, sessionId);
  const url = pathToFileURL(file).href;
  // A request that a policy forbids is asked for first, and never leaves the browser.
  const [requests, complaints, forbidden] = [[], [], new Set()];
  let loaded;
  const ready = new Promise((resolve) => (loaded = resolve));
  browser.listen(({ sessionId: from, method, params }) => {
    if (from !== sessionId) return;
    if (method === "Network.requestWillBeSent" && params.request.url !== url) requests.push({ id: params.requestId, url: params.request.url });
    if (method === "Network.loadingFailed" && params.blockedReason === "csp") forbidden.add(params.requestId);
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled") complaints.push(`console: ${params.args.map((arg) => arg.value).join(" ")}`);
    if (method === "Log.entryAdded") complaints.push(`${params.entry.level}: ${params.entry.text}`);
    if (method === "Page.loadEventFired") loaded();
  });
  for (const domain of ["Page", "Runtime", "Network", "Log"]) await send(`${domain}.enable`);
  await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
  await send("Page.navigate", { url });
  await ready;

  const run = async (source) => {
    const { result, exceptionDetails } = await send("Runtime.evaluate", { expression: source, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${exceptionDetails.exception?.description ?? exceptionDetails.text} in ${source}`);
    return result.value;
  };
  // Until the browser has drawn what was done: two frames.
  const drawn = () => run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))");
  const mouse = (type, x, y, more = {}) => send("Input.dispatchMouseEvent", { type, x, y, ...more });
  const click = async (x, y) => {
    await mouse("mouseMoved", x, y);
    for (const type of ["mousePressed", "mouseReleased"]) await mouse(type, x, y, { button: "left", clickCount: 1 });
    await drawn();
  };
  const press = async (key, text = undefined) => {
    const code = KEYS[key] ?? 0;
    const of = { key, code: key, windowsVirtualKeyCode: code, nativeVirtualKeyCode: code };
    await send("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...of });
    await send("Input.dispatchKeyEvent", { type: "keyUp", ...of });
    await drawn();
  };
  const type = async (text) => {
    await send("Input.insertText", { text });
    await drawn();
  };
  const picture = async () => Buffer.from((await send("Page.captureScreenshot", { format: "png" })).data, "base64");
  await drawn();
  const sent = () => requests.filter(({ id }) => !forbidden.has(id)).map((request) => request.url);
  return { send, run, drawn, mouse, click, press, type, picture, sent, complaints };
}

const KEYS = { Backspace: 8, Tab: 9, Enter: 13, Escape: 27, End: 35, Home: 36, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40 };

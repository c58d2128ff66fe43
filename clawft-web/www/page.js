// The page: which example is shown, the address, the service worker. `chat.js` has an example,
// `panels.js` what is beside the chat.
import { App } from "./chat.js";
import { banner, base, element, root, script, select, tablist } from "./element.js";

/** @type {Map<string, App>} */
const apps = new Map();
/** @type {App | undefined} */
let current;

/** @param {any} plan @param {string} name @param {string | null} [wanted] */
function open(plan, name, wanted) {
  const example = plan.examples.find((/** @type {any} */ one) => one.name === name) ?? plan.examples[0];
  const list = /** @type {HTMLElement} */ (document.getElementById("examples"));
  let app = apps.get(example.name);
  if (!app || (wanted && wanted !== app.session)) {
    const random = `${example.name}-${Math.random().toString(36).slice(2, 10)}`;
    app?.worker?.terminate();
    app?.view.remove();
    app = new App(example, example.optimizations.persistence ? wanted || random : "");
    apps.set(example.name, app);
  }
  current = app;
  select(list, example.name);
  for (const one of apps.values()) one.view.hidden = one !== app;
  const url = new URL(location.href);
  url.searchParams.set("example", example.name);
  app.session ? url.searchParams.set("session", app.session) : url.searchParams.delete("session");
  history.replaceState(null, "", url);
  app.told();
}

/** @param {string} example @param {string} session */
export const openSession = (example, session) => open(plan, example, session);

/** @type {any} */
let plan;

async function serviceWorker() {
  if (!navigator.serviceWorker) return;
  const registration = await navigator.serviceWorker.register(script("../service-worker.js"), { scope: root });
  const offer = () => {
    const { waiting } = registration;
    if (!waiting || !navigator.serviceWorker.controller) return;
    banner("version", "A new version is here. This tab goes on with the old one until you say so.", [["Use it", () => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      waiting.postMessage("take");
    }]]);
  };
  offer();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
}

async function begin() {
  if (typeof WebAssembly === "undefined") throw new Error("This page needs WebAssembly: the agent is a WebAssembly module");
  const answer = await fetch(new URL("plan.json", base));
  if (!answer.ok) throw new Error(`plan.json: ${answer.status}`);
  plan = await answer.json();
  const list = /** @type {HTMLElement} */ (document.getElementById("examples"));
  for (const { name, title } of plan.examples) list.append(element("button", { type: "button", role: "tab", id: `tab-${name}`, "data-name": name, "aria-controls": `${name}-view` }, title));
  tablist(list, (name) => open(plan, name));
  const asked = new URL(location.href).searchParams;
  const session = asked.get("session");
  // A pairing link has its key behind the hash, where no server sees it; it leaves the address at
  // once.
  const pair = /^#pair=([\w-]{43})$/.exec(location.hash)?.[1];
  if (pair) history.replaceState(null, "", location.pathname + location.search);
  if (session !== null && !/^[A-Za-z0-9_-]{1,64}$/.test(session)) throw new Error("session: 1 to 64 of A-Z a-z 0-9 _ -");
  open(plan, asked.get("example") ?? (session && !asked.has("example") ? plan.examples.find((/** @type {any} */ one) => one.optimizations.persistence)?.name : undefined) ?? plan.default, session);
  if (pair) {
    const app = current;
    app?.opened.then(() => app.ask("sync", { pair })).catch((/** @type {Error} */ error) => app.note(error.message));
  }
  // What the page is left for must not take anything along that is not saved.
  const save = () => apps.forEach((app) => app.owner && app.example.optimizations.persistence && void app.ask("save"));
  addEventListener("pagehide", (/** @type {PageTransitionEvent} */ event) => apps.forEach((app) => void app.ask(event.persisted ? "letGo" : "save")));
  addEventListener("pageshow", (/** @type {PageTransitionEvent} */ event) => event.persisted && apps.forEach((app) => app.start("free")));
  document.addEventListener("freeze", save);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save());
  // The first answer comes first.
  current?.opened.catch(() => undefined).then(serviceWorker).catch(() => undefined);
}

begin().catch((error) => {
  const status = /** @type {HTMLElement} */ (document.getElementById("status"));
  status.textContent = `${error.message}.`;
});

/** The example of this name, if it is open. @param {string} name */
export const app = (name) => apps.get(name);

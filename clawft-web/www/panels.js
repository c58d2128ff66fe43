// Sessions, files, stats and the audit: what is looked at beside the chat.
import { banner, bytes, download, element, unbanner } from "./element.js";
import { openSession } from "./page.js";

/** @typedef {import("./chat.js").App} App */

const UNDO = 10_000;
const SHOWN = 256 * 1024;
/** Sessions on their way out. @type {Set<string>} */
const leaving = new Set();

/** @param {string} panel @param {App} app */
export async function draw(panel, app) {
  const at = app.panels[panel];
  try {
    await { sessions, files, stats, audit }[/** @type {"stats"} */ (panel)](app, at);
  } catch (error) {
    at.replaceChildren(element("p", { role: "alert" }, /** @type {Error} */ (error).message));
  }
}

/** @param {string} label @param {() => unknown} act @param {Record<string, any>} [more] */
const button = (label, act, more = {}) => element("button", { type: "button", onclick: act, ...more }, label);

/**
 * @param {string} caption
 * @param {string[]} heads
 * @param {(string | Node)[][]} rows
 * @param {number[]} [numbers]
 */
function table(caption, heads, rows, numbers = []) {
  const kind = (/** @type {number} */ i) => (numbers.includes(i) ? { className: "number" } : {});
  // The roles are said again, because a narrow page draws rows one below the other.
  const body = rows.map((row) => element("tr", { role: "row" }, ...row.map((one, i) => (i ? element("td", { role: "cell", "data-head": heads[i], ...kind(i) }, one) : element("th", { role: "rowheader", scope: "row" }, one)))));
  const top = element("tr", { role: "row" }, ...heads.map((one, i) => element("th", { role: "columnheader", scope: "col", ...kind(i) }, one)));
  return element("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": caption },
    element("table", { role: "table", "aria-label": caption }, element("thead", { role: "rowgroup" }, top), element("tbody", { role: "rowgroup" }, ...body)));
}

/**
 * Does something, and draws the panel anew; what goes wrong is said.
 * @param {string} panel
 * @param {App} app
 * @param {() => Promise<unknown>} run
 */
async function then(panel, app, run) {
  try {
    unbanner("panel");
    await run();
  } catch (error) {
    banner("panel", /** @type {Error} */ (error).message);
  }
  await draw(panel, app);
}

/**
 * Draws a panel anew: who is somewhere in it by keyboard stays there.
 * @param {HTMLElement} at
 * @param {...Node} nodes
 */
function replace(at, ...nodes) {
  const was = /** @type {HTMLElement} */ (document.activeElement);
  const isInside = at.contains(was);
  at.replaceChildren(...nodes);
  if (!isInside) return;
  const name = (/** @type {Element} */ one) => one.getAttribute("aria-label") ?? (one.id || one.textContent);
  const all = /** @type {HTMLElement[]} */ ([...at.querySelectorAll("button, input, a, summary, [tabindex]")]);
  (at.contains(was) ? was : all.find((one) => name(one) === name(was)))?.focus();
}

/** @param {App} app @param {HTMLElement} at */
async function sessions(app, at) {
  if (!app.session) {
    replace(at, element("h2", {}, "Sessions"), element("p", {}, "This example keeps nothing: there is one conversation, until the tab is closed."), button("Export", () => app.export()));
    return;
  }
  const found = (await app.ask("sessions")).filter((/** @type {any} */ one) => !leaving.has(one.name)).sort((/** @type {any} */ a, /** @type {any} */ b) => b.time - a.time);
  const rows = found.map((/** @type {any} */ { name, time, bytes: size }) => {
    const open = name === app.session;
    const act = (/** @type {string} */ label, /** @type {() => unknown} */ run, more = {}) => button(label, run, { "aria-label": `${label} ${name}`, ...more });
    return [
      open ? `${name} (open here)` : name, time ? new Date(time).toLocaleString() : "", bytes(size), name.includes(".") ? name.split(".").at(-1) : "this one",
      element("span", { className: "row" },
        act("Open", () => openSession(app.example.name, name), { disabled: open }),
        act("Rename", () => rename(app, name, false), { disabled: open }),
        act("Duplicate", () => rename(app, name, true)),
        act("Export", () => void then("sessions", app, () => app.export(name))),
        act("Delete", () => remove(app, name), { disabled: open })),
    ];
  });
  const pick = element("input", { type: "file", accept: ".tar", id: `${app.example.name}-import`, onchange: () => void then("sessions", app, async () => {
    const [file] = pick.files;
    const name = file.name.replace(/\.tar$/, "").replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 50);
    const taken = new Set(found.map((/** @type {any} */ one) => one.name));
    let free = name || "imported";
    for (let i = 2; taken.has(free); i += 1) free = `${name}-${i}`;
    await app.ask("import", { name: free, archive: new Uint8Array(await file.arrayBuffer()) });
  }) });
  replace(at, element("h2", {}, "Sessions"), table("Sessions", ["Name", "Last change", "Size", "Device", "Actions"], rows, [2]),
    element("div", { className: "row" }, button("New session", () => openSession(app.example.name, `${app.example.name}-${Math.random().toString(36).slice(2, 10)}`)), element("label", {}, "Import an archive as a new session", pick)), ...(app.example.optimizations.sync ? [await sync(app)] : []));
}

/** @param {App} app @param {string} name @param {boolean} keep */
function rename(app, name, keep) {
  const field = element("input", { value: keep ? `${name}-copy` : name, pattern: "[A-Za-z0-9_\\-]{1,64}", required: true, id: `${app.example.name}-name` });
  const form = element("form", { className: "row", onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    void then("sessions", app, () => app.ask("rename", { name, to: field.value, keep }));
  } }, element("label", {}, keep ? `Name of the copy of ${name}` : `New name of ${name}`, field), element("button", { type: "submit" }, keep ? "Duplicate" : "Rename"), button("Back", () => draw("sessions", app)));
  app.panels.sessions.append(form);
  field.focus();
}

/** Gone after 10 seconds, and not before. @param {App} app @param {string} name */
function remove(app, name) {
  leaving.add(name);
  const timer = setTimeout(() => {
    unbanner(`gone-${name}`);
    void then("sessions", app, async () => {
      await app.ask("dropSession", { name });
    }).finally(() => leaving.delete(name));
  }, UNDO);
  banner(`gone-${name}`, `The session ${name} is deleted in 10 seconds.`, [["Undo", () => {
    clearTimeout(timer);
    leaving.delete(name);
    unbanner(`gone-${name}`);
    void draw("sessions", app);
  }]]);
  void draw("sessions", app);
}

/** @param {App} app */
async function sync(app) {
  const { sync: state } = await app.ask("stats");
  const at = element("section", {}, element("h2", {}, "Sync"));
  if (!state?.link) {
    const field = element("input", { type: "password", autocomplete: "off", id: `${app.example.name}-pair` });
    at.append(element("p", {}, "Off. Turned on, what this session holds is encrypted here and kept on the server of this page; who has the link has the key."),
      element("form", { className: "row", onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void then("sessions", app, () => app.ask("sync", { pair: field.value }));
      } }, button("Turn sync on", () => void then("sessions", app, () => app.ask("sync", { on: true }))),
        element("label", {}, "or the pairing link of another device", field), element("button", { type: "submit" }, "Pair")));
    return at;
  }
  const link = element("input", { readOnly: true, value: state.link, id: `${app.example.name}-link` });
  at.append(element("p", {}, `${state.error ? `Waiting: ${state.error}. ` : ""}${state.pending} to send, ${state.sent} sent, ${state.got} received${state.last ? `, last ${new Date(state.last).toLocaleTimeString()}` : ""}.`),
    element("div", { className: "row" }, element("label", {}, "Pairing link (whoever has it can read everything)", link), button("Copy link", () => void navigator.clipboard.writeText(link.value).catch(() => link.select())),
      button("Sync now", () => void then("sessions", app, () => app.ask("sync", { now: true }))), button("Turn sync off", () => void then("sessions", app, () => app.ask("sync", { off: true })))));
  const code = (await import("./qr.js")).draw(state.link);
  if (code) at.append(element("details", {}, element("summary", {}, "QR code of the link"), code));
  return at;
}

/** @param {App} app @param {HTMLElement} at */
async function files(app, at) {
  const all = (await app.ask("files")).filter((/** @type {any} */ one) => !one.path.startsWith(".clawft"));
  // What is looked at stays while the list is drawn anew: somebody may have typed in it.
  const show = /** @type {HTMLElement} */ (at.querySelector(":scope > section") ?? element("section", { "aria-live": "polite" }));
  if (!all.some((/** @type {any} */ one) => one.path === show.dataset.path)) show.replaceChildren();
  const rows = all.map((/** @type {any} */ { path, bytes: size, time, folder }) => [
    `${path}${folder ? "/" : ""}`, app.changed.has(path) ? "changed by the agent" : "", folder ? "" : bytes(size), new Date(time).toLocaleString(),
    element("span", { className: "row" }, ...(folder ? [] : [button("View", () => void view(app, path, show), { "aria-label": `View ${path}` }), button("Download", () => void app.ask("read", { path }).then((content) => download(path.split("/").at(-1), content)), { "aria-label": `Download ${path}` })]),
      button("Delete", () => void then("files", app, () => app.ask("remove", { path })), { "aria-label": `Delete ${path}` })),
  ]);
  const put = (/** @type {Iterable<File>} */ given) => void then("files", app, async () => {
    for (const file of given) await app.ask("write", { path: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
  });
  const pick = element("input", { type: "file", multiple: true, id: `${app.example.name}-upload`, onchange: () => put(pick.files) });
  const drop = element("div", { className: "drop row", ondragover: (/** @type {DragEvent} */ event) => event.preventDefault(), ondrop: (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    put(event.dataTransfer?.files ?? []);
  } }, element("label", {}, "Upload, or drop files here", pick));
  replace(at, element("h2", {}, "Files"), rows.length ? table("Files", ["Path", "Note", "Size", "Last change", "Actions"], rows, [2]) : element("p", {}, "There are no files yet."), drop, show);
}

/** @param {App} app @param {string} path @param {HTMLElement} at */
async function view(app, path, at) {
  const content = await app.ask("read", { path });
  app.changed.delete(path);
  at.dataset.path = path;
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    at.replaceChildren(element("h2", {}, path), element("p", {}, `${bytes(content.length)} that are no text.`));
    return;
  }
  const field = element("textarea", { className: "edit", value: text, id: `${app.example.name}-edit`, readOnly: content.length > SHOWN, spellcheck: false });
  at.replaceChildren(element("h2", {}, path), element("label", {}, "Content", field),
    element("div", { className: "row" }, button("Save", () => void then("files", app, async () => {
      await app.ask("write", { path, bytes: new TextEncoder().encode(field.value) });
      at.replaceChildren();
    }), { disabled: content.length > SHOWN }), button("Close", () => at.replaceChildren())));
  field.focus();
}

/** @param {App} app @param {HTMLElement} at */
async function stats(app, at) {
  const found = await app.ask("stats");
  const ms = (/** @type {number} */ value) => `${value.toFixed(1)} ms`;
  const own = [.../** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType("resource")).map((one) => ({ name: one.name, bytes: one.transferSize, size: one.encodedBodySize }))];
  const [page] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  const network = [...own, ...found.resources];
  const sum = (/** @type {"bytes" | "size"} */ key) => network.reduce((all, one) => all + one[key], page?.[key === "bytes" ? "transferSize" : "encodedBodySize"] ?? 0);
  const rows = [
    ...Object.entries(found.boot).map(([phase, time]) => [`Boot: ${phase}`, ms(/** @type {number} */ (time))]),
    ["Over the network", `${bytes(sum("bytes"))} in ${network.length + 1} answers (${bytes(sum("size"))} without the cache)`],
    ["Memory of the agent", found.memory ? `${bytes(found.memory)}, grown ${found.growths} times` : "none"],
    ["Kept in", found.kind],
    ["Saves", `${found.saves.count}, ${bytes(found.saves.bytes)}, median ${ms(found.saves.p50)}, 95% within ${ms(found.saves.p95)}`],
    ...(found.log ? [["Log", `generation ${found.log.generation}, ${bytes(found.log.bytes)}, owner ${found.log.epoch}`]] : []),
    ...(found.image ? [["Last image", bytes(found.image)]] : []),
    ["Most turns at a time", String(found.tasks)],
    ["Host calls", String(found.calls.length)],
    ...(found.storage ? [["Storage of this site", `${bytes(found.storage.used)} of ${bytes(found.storage.quota)}`]] : []),
  ];
  replace(at, element("h2", {}, "Stats"), table("Stats", ["What", "Now"], rows), element("div", { className: "row" }, button("Look again", () => draw("stats", app)),
    ...(app.keys ?? []).map((/** @type {any} */ key) => button(`Forget the key ${key.name}${key.remembered ? ", which is remembered" : ""}`, () => void then("stats", app, async () => {
      app.keys = await app.ask("key", { name: key.name });
      app.asksForKey();
    })))),
    ...(found.calls.length ? [element("h2", {}, "Host calls"), table("Host calls", ["Call", "Time", "Out", "In", "Outcome"], found.calls.slice(-50).reverse().map((/** @type {any} */ one) => [`${one.op} ${one.name}`, ms(one.ms), bytes(one.sent), bytes(one.got), one.status ? `error ${-one.status}` : "done"]), [1, 2, 3])] : []));
}

/** @param {App} app @param {HTMLElement} at */
async function audit(app, at) {
  const answer = await fetch(new URL("../audit.json", import.meta.url));
  if (!answer.ok) throw new Error(`audit.json: ${answer.status}`);
  const { rows = [], build = "" } = await answer.json();
  const { name, title, selftest = [] } = app.example;
  const demo = (/** @type {string} */ row) => app.demos?.[row] ?? "not run";
  const drawn = rows.map((/** @type {any} */ row) => {
    const cell = row.cells?.[name] ?? {};
    return [row.name, cell.built ?? "", cell.bundle ?? "", demo(row.name), cell.evidence ?? ""].map(String);
  });
  replace(at, element("h2", {}, `Audit of ${title}`), element("p", {}, `Build ${build || "unknown"}. "Built" and "bundle" were found by inspecting the files, "demo" is what this page has seen by itself.`),
    table("Audit", ["Row", "Built", "Bundle", "Demo", "Evidence"], drawn),
    element("div", { className: "row" }, button(`Run the self-test (${selftest.length} ${selftest.length === 1 ? "message" : "messages"})`, () => void then("audit", app, () => selfTest(app)), { disabled: !selftest.length }), element("p", { role: "status" }, app.tested ?? "")));
}

/** Says what the manifest says, and reports what it came to. @param {App} app */
async function selfTest(app) {
  const failed = [];
  for (const { say, has } of app.example.selftest) {
    const answer = await app.ask("say", { text: say, session: "selftest" });
    if (!answer.ok || !answer.message.content.includes(has)) failed.push(`"${say}" was answered ${answer.ok ? `"${answer.message.content}"` : answer.error.code}`);
  }
  const found = await app.ask("stats");
  app.tested = failed.length ? `Failed: ${failed.join("; ")}` : `${app.example.selftest.length} of ${app.example.selftest.length} answers as they should be.`;
  app.demos = {
    "Cooperative threading": `${found.tasks} turns at a time`,
    "Host fetch and the registry": `${found.calls.length} calls: ${[...new Set(found.calls.map((/** @type {any} */ one) => one.op))].join(" ") || "none"}`,
    "OPFS persistence": `${found.kind}, ${found.saves.count} saves, ${bytes(found.saves.bytes)}`,
    "Flat arena": `${bytes(found.memory)}, grown ${found.growths} times`,
    "LLRT bytecode precompile": found.boot.compiled ? `compiled after ${found.boot.compiled.toFixed(1)} ms` : "handed over compiled",
    "Ready-state snapshot": found.image ? `image of ${bytes(found.image)}` : "no image",
    "Cross-device sync": found.sync?.link ? `${found.sync.sent} sent, ${found.sync.got} received` : "off",
    "Light tab first": `${app.example.title} was ready ${found.boot.ready?.toFixed(0) ?? "?"} ms after its worker began`,
  };
}

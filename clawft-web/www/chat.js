// An example in the page: its tab, its worker, its chat.
import { banner, base, bytes, download, element, script, select, tablist, unbanner } from "./element.js";

const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const LABELS = { chat: "Chat", sessions: "Sessions", files: "Files", stats: "Stats", audit: "Audit" };
/** @type {Record<string, string>} */
const KINDS = { opfs: "saved in this browser", indexeddb: "saved in this browser (IndexedDB)", memory: "not saved: this browser keeps nothing", none: "not saved: this example keeps nothing" };

export class App {
  /** @param {any} example @param {string} session */
  constructor(example, session) {
    Object.assign(this, { example, session });
    this.example = example;
    this.session = session;
    this.conversation = "main";
    this.device = device();
    /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
    this.waiting = new Map();
    this.last = 0;
    this.kind = "none";
    this.owner = true;
    /** @type {any} */
    this.opened = undefined;
    this.busy = false;
    this.mine = false;
    /** @type {{ at: any, text: string, told: number } | undefined} */
    this.streaming = undefined;
    this.saved = "";
    /** @type {Set<string>} */
    this.changed = new Set();
    /** @type {Record<string, any>} */
    this.panels = {};
    /** What the self-test has seen. @type {Record<string, string> | undefined} */
    this.demos = undefined;
    this.tested = "";
    this.draw();
    this.start("free");
  }

  draw() {
    const { name, title } = this.example;
    const id = (/** @type {string} */ what) => `${name}-${what}`;
    this.tabs = element("div", { role: "tablist", "aria-label": `${title}: panels` });
    for (const [panel, label] of Object.entries(LABELS)) this.tabs.append(element("button", { type: "button", role: "tab", id: id(`tab-${panel}`), "data-name": panel, "aria-controls": id(panel) }, label));
    tablist(this.tabs, (panel) => void this.show(panel));
    this.log = element("div", { className: "log", role: "log", "aria-live": "off", "aria-label": "Conversation", tabIndex: 0 });
    this.live = element("div", { className: "quiet", "aria-live": "polite" });
    this.input = element("textarea", { rows: 2, id: id("input"), onkeydown: (/** @type {KeyboardEvent} */ event) => this.enter(event), disabled: true });
    this.send = element("button", { type: "submit", className: "main", disabled: true }, "Send");
    this.stop = element("button", { type: "button", hidden: true, onclick: () => this.cancel() }, "Cancel");
    this.choice = element("select", { id: id("conversation"), onchange: () => void this.turnTo(this.choice.value) });
    this.choices = element("div", { className: "row", hidden: true }, element("label", {}, "Conversation", this.choice));
    const form = element("form", { className: "say", onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void this.say()) },
      element("label", {}, "Message", element("span", { className: "hint" }, " (Enter sends, Shift+Enter is a new line, Escape cancels)"), this.input), this.send, this.stop);
    this.panels = Object.fromEntries(Object.keys(LABELS).map((panel) => [panel, element("div", { className: `panel ${panel}`, role: "tabpanel", id: id(panel), "aria-labelledby": id(`tab-${panel}`), hidden: panel !== "chat" })]));
    // Escape cancels from wherever the focus is, a question among it.
    this.panels.chat.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && this.busy && this.cancel());
    this.panels.chat.append(this.choices, this.log, this.live, form);
    this.view = element("section", { className: "example", id: id("view"), role: "tabpanel", "aria-labelledby": `tab-${name}` }, this.tabs, ...Object.values(this.panels));
    select(this.tabs, "chat");
    main.append(this.view);
  }

  /** @param {"free" | "take" | "steal"} how */
  start(how) {
    this.worker?.terminate();
    for (const { reject } of this.waiting.values()) reject(new Error("the worker was started anew"));
    this.waiting.clear();
    this.worker = new Worker(script("worker.js"), { type: "module", name: this.session || this.example.name });
    this.worker.onmessage = ({ data }) => (data.event ? this.hear(data.event) : this.answered(data));
    this.worker.onerror = (event) => this.fail(event.message || "the worker did not start");
    const { example, session, device: by } = this;
    this.opened = this.ask("open", { example, session, base, device: by, how });
    this.opened.then((/** @type {any} */ found) => this.ready(found), (/** @type {Error} */ error) => this.fail(error.message));
  }

  /** @param {string} what @param {any} [message] @returns {Promise<any>} */
  ask(what, message = {}) {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker?.postMessage({ id, do: what, ...message });
    });
  }

  /** @param {any} data */
  answered({ id, value, error, trap }) {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(Object.assign(new Error(error), { trap }));
  }

  /** @param {any} found */
  ready({ owner, kind, boot, damaged, keys }) {
    Object.assign(this, { owner, kind, boot });
    this.keys = keys;
    this.enable(owner);
    if (!owner) {
      this.told();
      return banner("taken", `The session ${this.session} is open in another tab, and shown here as it goes on.`, [["Use here", () => void this.take()]]);
    }
    unbanner("taken");
    if (damaged) banner("damaged", "A part of what was saved could not be read. All that could is here, and a copy of the damaged file has been kept.");
    if (kind === "memory") banner("memory", "This browser keeps nothing: what is said here is lost when the tab is closed.", [["Export", () => void this.export()]]);
    document.documentElement.dataset.ready = this.example.name;
    performance.mark("ready");
    this.told();
    this.asksForKey();
  }

  /** A provider that needs a key gets a field for it. */
  asksForKey() {
    const { providers = [] } = this.example.config;
    const known = (/** @type {string} */ name) => this.keys?.some((/** @type {any} */ key) => key.name === name);
    const wants = providers.find((/** @type {any} */ one) => one.credential && !known(one.credential));
    this.panels.chat.querySelector(".key")?.remove();
    const { origins = [] } = this.example.grants.fetch ?? {};
    if (!wants || !origins.length) return;
    const missing = wants.credential;
    // The provider's own, where that is granted.
    const own = wants.base_url ?? { anthropic: "https://api.anthropic.com", openai: "https://api.openai.com" }[/** @type {"openai"} */ (wants.kind)];
    const origin = origins.find((/** @type {string} */ one) => own && new URL(own).origin === one) ?? origins[0];
    const field = element("input", { type: "password", autocomplete: "off", id: `${this.example.name}-key` });
    const remember = element("input", { type: "checkbox" });
    const form = element("form", { className: "row key", onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      this.ask("key", { name: missing, origin, secret: field.value, remember: remember.checked }).then((keys) => {
        this.keys = keys;
        this.asksForKey();
        this.input.focus();
      }, (error) => this.note(error.message));
      field.value = "";
    } }, element("label", {}, `Key ${missing}, for ${origin} alone`, field),
      element("label", {}, remember, " Remember (encrypted; a script in this page, or who uses this browser as you, could still use it)"),
      element("button", { type: "submit" }, "Use key"));
    this.panels.chat.insertBefore(form, this.log);
  }

  enable(/** @type {boolean} */ on) {
    this.input.disabled = !on;
    this.send.disabled = !on || this.busy;
    this.stop.hidden = !this.busy;
  }

  told() {
    if (this.view.hidden) return;
    const state = !this.owner ? "open in another tab" : KINDS[this.kind];
    status.textContent = `${this.example.title}${this.session ? `, session ${this.session}` : ""}: ${this.busy ? "thinking, " : ""}${this.saved || state}.`;
  }

  /** @param {string} role @param {string} text @param {string} [who] */
  put(role, text, who = { user: "You", assistant: "Agent" }[role] ?? "") {
    const at = element("div", { className: `said ${role}` }, element("b", {}, who), element("span", {}, text));
    this.log.append(at);
    this.log.scrollTop = this.log.scrollHeight;
    return at;
  }

  /** @param {string} text */
  note(text) {
    this.put("note", text, "Note");
    this.live.textContent = text;
  }

  /** @param {string} title @param {string} text */
  fold(title, text) {
    this.log.append(element("details", {}, element("summary", {}, title), element("pre", {}, text)));
  }

  /** A conversation as the agent's file has it. @param {any[]} messages */
  history(messages) {
    this.log.replaceChildren();
    for (const { role, content, tool_calls: calls = [] } of messages) {
      if (role === "tool") this.fold("Result of a tool", content);
      else if (content) this.put(role, content);
      for (const call of calls) this.fold(`Tool ${call.name}`, JSON.stringify(call.arguments));
    }
  }

  /** @param {string[]} names */
  conversations(names) {
    const all = [...new Set(["main", ...names])];
    this.choices.hidden = all.length < 2;
    this.choice.replaceChildren(...all.map((name) => element("option", { value: name, selected: name === this.conversation }, name)));
  }

  /** @param {string} name */
  async turnTo(name) {
    this.conversation = name;
    this.history((await this.ask("history", { session: name })).history);
  }

  /**
   * What happens by itself in the worker, or in the tab that owns the session.
   * @param {any} event
   */
  hear(event) {
    const here = event.session === undefined || event.session === this.conversation;
    if (event.type === "restored" || event.type === "view") {
      this.conversations(event.conversations);
      this.conversation === "main" ? this.history(event.history) : void this.turnTo(this.conversation);
    }
    if (event.type === "said" && here && !this.mine) this.put("user", event.text);
    if (event.type === "delta" && here) this.stream(event.text);
    if (event.type === "answer") this.over(event, here);
    if (event.type === "call") this.fold(`Host call ${event.seen.name}: ${Math.round(event.seen.ms)} ms, ${bytes(event.seen.sent)} out, ${bytes(event.seen.got)} in${event.seen.status ? `, error ${-event.seen.status}` : ""}`, JSON.stringify(event.seen));
    if (event.type === "saved") {
      this.saved = `saved ${new Date(event.time).toLocaleTimeString()}`;
      unbanner("paused");
      this.told();
      void persist();
    }
    if (event.type === "paused") {
      this.saved = "not saved";
      this.told();
      banner("paused", `Nothing is saved at present (${event.why}). What was saved before is whole.`, [["Export", () => void this.export()], ["Delete old sessions", () => void this.show("sessions")], ["Try again", () => void this.ask("save")]]);
    }
    if (event.type === "ask") this.question(event);
    if (event.type === "decided") this.log.querySelector(`[data-call="${event.call}"]`)?.remove();
    if (event.type === "note") this.note(event.text);
    if (event.type === "merged") event.notes.forEach((/** @type {string} */ one) => this.note(one));
    if (event.type === "interrupted") {
      this.note("The page went away while this was being asked. Whether it was done nobody can tell: it was not sent a second time.");
      if (event.message && !this.input.value) this.input.value = event.message;
    }
    if (event.type === "taken") {
      this.owner = false;
      this.busy = false;
      this.enable(false);
      this.told();
      banner("taken", `The session ${this.session} is used in another tab now.`, [["Use here", () => void this.take()]]);
    }
    if (event.type === "trap") this.trap(event.why, "");
  }

  /** @param {string} text */
  stream(text) {
    this.streaming ??= { at: this.put("assistant", ""), text: "", told: 0 };
    const { streaming } = this;
    streaming.text += text;
    streaming.at.lastChild.textContent = streaming.text;
    // Read aloud sentence by sentence.
    const end = streaming.text.search(/[.!?\n](?!.*[.!?\n])/s) + 1;
    if (end > streaming.told) {
      this.live.textContent = streaming.text.slice(streaming.told, end);
      streaming.told = end;
    }
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** @param {any} event @param {boolean} here */
  over({ answer, changed, conversations }, here) {
    this.conversations(conversations);
    for (const path of changed) this.changed.add(path);
    if (!here) return;
    const { streaming } = this;
    this.streaming = undefined;
    for (const result of answer.tool_results ?? []) this.fold(`Tool ${result.name}: ${result.ok ? "done" : "failed"}, ${bytes(new Blob([result.output ?? ""]).size)}`, result.output ?? JSON.stringify(result.error));
    if (answer.ok) {
      const { content } = answer.message;
      if (streaming) streaming.at.lastChild.textContent = content;
      else this.put("assistant", content);
      const rest = streaming ? content.slice(streaming.told) : content;
      if (rest.trim()) this.live.textContent = rest;
      if (answer.persisted === false) this.note(`This is not in the session's file: ${answer.not_persisted?.message}`);
    } else {
      streaming?.at.remove();
      this.note(`${answer.error.code}: ${answer.error.message}`);
    }
  }

  async say() {
    const text = this.input.value;
    if (!text.trim() || this.busy || !this.owner) return;
    this.input.value = "";
    this.put("user", text);
    Object.assign(this, { busy: true, mine: true });
    this.enable(true);
    this.told();
    try {
      await this.ask("say", { text, session: this.conversation });
    } catch (error) {
      this.trap(/** @type {Error} */ (error).message, text);
    }
    Object.assign(this, { busy: false, mine: false });
    this.enable(this.owner);
    this.told();
  }

  cancel() {
    void this.ask("cancel", { session: this.conversation });
  }

  /** @param {KeyboardEvent} event */
  enter(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void this.say();
    }
  }

  /**
   * Whether a tool may be run.
   * @param {any} event
   */
  question({ call, name, arguments: given, session }) {
    const text = `The agent asks whether it may run ${name}`;
    const answer = (/** @type {boolean} */ approved) => {
      this.input.focus();
      void this.ask("decide", { call, approved });
    };
    const deny = element("button", { type: "button", onclick: () => answer(false) }, "Deny");
    const allow = element("button", { type: "button", onclick: () => answer(true) }, "Allow");
    const where = session === this.conversation ? "" : ` (in ${session})`;
    this.log.append(element("div", { className: "said note", role: "group", "aria-label": text, "data-call": call },
      element("b", {}, `${text}${where}`), element("pre", {}, JSON.stringify(given, null, 1)), element("span", { className: "row" }, deny, allow)));
    this.log.scrollTop = this.log.scrollHeight;
    this.live.textContent = text;
    // A tab that only looks on does not decide.
    for (const one of [deny, allow]) one.disabled = !this.owner;
    if (this.owner && !this.view.hidden) deny.focus();
  }

  /** The agent is gone, what was saved is not. @param {string} why @param {string} text */
  trap(why, text) {
    this.streaming = undefined;
    if (text && !this.input.value) this.input.value = text;
    banner("trap", `The agent has stopped (${why}). What was saved is there.`, [["Restart", () => {
      unbanner("trap");
      // The worker that is gone lets go of the session late.
      this.start("take");
    }]]);
  }

  /** @param {string} why */
  fail(why) {
    this.enable(false);
    status.textContent = `${this.example.title}: ${why}`;
    banner("trap", `${this.example.title} did not start: ${why}.`, [["Restart", () => {
      unbanner("trap");
      // The worker that is gone lets go of the session late.
      this.start("take");
    }]]);
  }

  async take() {
    const { owner } = await this.restart("take");
    if (!owner) banner("taken", "The other tab gives no sign. What it has not saved would be lost.", [["Use here all the same", () => void this.restart("steal")]]);
  }

  /** @param {"take" | "steal"} how */
  restart(how) {
    this.start(how);
    return this.opened;
  }

  async export(name = this.session) {
    const archive = await this.ask("export", { name });
    download(`${name || this.example.name}.tar`, archive);
  }

  /** @param {string} panel */
  async show(panel) {
    select(this.tabs, panel);
    for (const [name, at] of Object.entries(this.panels)) at.hidden = name !== panel;
    if (panel !== "chat") (await import("./panels.js")).draw(panel, this);
  }
}

function device() {
  const fresh = Math.random().toString(36).slice(2, 8).padEnd(6, "0");
  try {
    const known = localStorage.getItem("clawft-device") ?? fresh;
    localStorage.setItem("clawft-device", known);
    return known;
  } catch {
    return fresh;
  }
}

let persisted = false;
/** Asked for at the first save, once somebody has clicked or typed. */
async function persist() {
  if (persisted || !navigator.userActivation?.hasBeenActive) return;
  persisted = true;
  await navigator.storage?.persist?.().catch(() => false);
}

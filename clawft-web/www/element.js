// What the page is drawn with: elements whose content is text, tabs, banners, and the one policy
// for addresses of scripts.

export const base = new URL("./", import.meta.url).href;
export const root = new URL("../", import.meta.url).href;
/** @type {any} */
const types = /** @type {any} */ (globalThis).trustedTypes;
const policy = types?.createPolicy("clawft", { createScriptURL: (/** @type {string} */ url) => url });
/** Addresses of our own workers, and of nothing else. @param {string} path */
export const script = (path) => (policy ? policy.createScriptURL(new URL(path, base).href) : new URL(path, base).href);

/**
 * An element; what it holds is text, never markup.
 * @param {string} tag
 * @param {Record<string, any>} [with_]
 * @param {(Node | string)[]} inside
 * @returns {any}
 */
export function element(tag, with_ = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(with_)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && name !== "role") /** @type {any} */ (made)[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...inside);
  return made;
}

const banners = /** @type {HTMLElement} */ (document.getElementById("banners"));

/**
 * A sentence with what can be done about it.
 * @param {string} id
 * @param {string} text
 * @param {[string, () => void][]} [buttons]
 */
export function banner(id, text, buttons = []) {
  unbanner(id);
  banners.append(element("div", { className: "banner", id: `banner-${id}`, role: "alert" }, element("p", {}, text), ...buttons.map(([label, act]) => element("button", { type: "button", onclick: act }, label))));
}

/** @param {string} id */
export const unbanner = (id) => document.getElementById(`banner-${id}`)?.remove();

export const bytes = (/** @type {number} */ count) => (count < 1024 ? `${count} B` : count < 1024 * 1024 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1024 / 1024).toFixed(1)} MiB`);

/**
 * Arrow keys go from tab to tab; the chosen one alone is in the order of the tab key.
 * @param {HTMLElement} list
 * @param {(name: string) => void} choose
 */
export function tablist(list, choose) {
  list.addEventListener("keydown", (event) => {
    const tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=tab]")]);
    const at = tabs.indexOf(/** @type {HTMLElement} */ (event.target));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    next.focus();
    choose(next.dataset.name ?? "");
  });
  list.addEventListener("click", (event) => {
    const tab = /** @type {HTMLElement} */ (event.target).closest("[role=tab]");
    if (tab) choose(/** @type {HTMLElement} */ (tab).dataset.name ?? "");
  });
}

/** @param {HTMLElement} list @param {string} name */
export function select(list, name) {
  for (const tab of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[role=tab]"))) {
    const chosen = tab.dataset.name === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
}

/** @param {string} name @param {Uint8Array} content */
export function download(name, content) {
  const url = URL.createObjectURL(new Blob([content]));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// The page: which view, which node, which table, and what keys and mouse do to them.

const [map, status, tip, find] = ["map", "status", "tip", "find"].map(by);
const HUES = 8;

let view, rows, whole, at, cells;
let [colour, grouping, only, shown] = ["part", "crate", "all", ROWS];
// The colours of the present node's largest parts.
let hues = new Map();

// --- what is shown of a whole view

function choose(position) {
  view = DATA.views[position];
  rows = rowsOf(view);
  whole = treeOf(view, rows);
  whole.compared = view.against !== null;
  at = whole;
  colour = whole.compared ? "change" : "part";
  [grouping, only, shown] = ["crate", "all", ROWS];
  find.value = "";
  drawHead(position);
  drawColours();
  drawRoad();
  zoom(whole, null);
}

function drawHead(position) {
  by("title").textContent = view.title;
  const verdict = by("verdict");
  verdict.hidden = view.within === null;
  verdict.className = view.within ? "good" : "bad";
  verdict.textContent = view.within ? "✓ within budget" : "✗ over budget";
  const several = DATA.views.length > 1;
  by("views").hidden = !several && !view.target;
  by("views").replaceChildren(
    ...DATA.views.map((one, i) => {
      const name = DATA.views.every((other) => other.title === one.title) ? one.target || one.title : `${one.title} ${one.target}`;
      return button(name, i === position, () => (choose(i), by("views").children[i].focus()));
    }),
  );
  by("made").textContent = [view.made, view.versus === null ? "" : `compared with ${view.versus}`].filter(Boolean).join(" · ");
  by("measures").replaceChildren(...view.measures.map(measure));
}

// A measure as a card: what it is, how much of its limit, and what it was.
function measure({ name, unit, actual, limit, used, before, over }) {
  const card = element("li", undefined, { class: over ? "measure bad" : "measure" });
  const number = element("strong", grouped(actual));
  const what = element("span", unit === "count" ? "" : unit);
  const head = element("p");
  head.append(number, " ", what);
  card.append(element("h3", name), head);
  if (limit !== null) {
    const bar = element("div", undefined, { class: "bar", "aria-hidden": "true" });
    const full = element("div");
    full.style.width = `${limit ? Math.min(100, (actual / limit) * 100) : 100}%`;
    bar.append(full);
    card.append(bar);
    const said = over ? `${grouped(actual - limit)} over the limit of ${grouped(limit)}` : `${used} of ${grouped(limit)}`;
    card.append(element("p", said, { class: "limit" }));
  } else {
    card.append(element("p", "no limit", { class: "limit" }));
  }
  if (before !== null) {
    const change = actual === before ? "as before" : `${signed(actual - before)} from ${grouped(before)}`;
    card.append(element("p", change, { class: actual > before ? "limit more" : actual < before ? "limit less" : "limit" }));
  }
  return card;
}

function drawColours() {
  const ways = { part: "by part", kind: "by kind", ...(whole.compared ? { change: "by change" } : {}) };
  by("colour").replaceChildren(...Object.entries(ways).map(([value, text]) => element("option", text, { value })));
  by("colour").value = colour;
}

function drawRoad() {
  by("road").hidden = view.stages.length === 0;
  const cells = ([name, bytes, note]) => {
    const row = element("tr");
    row.append(element("th", name, { scope: "row" }), element("td", grouped(bytes), { class: "number" }), element("td", note));
    return row;
  };
  by("stages").tBodies[0].replaceChildren(...view.stages.map(cells));
}

// --- the map

function paint(of) {
  const found = matches(of) ? "" : " dim";
  if (colour === "change") {
    const what = changeOf(of);
    const part = Math.abs(of.bytes - of.before) / Math.max(of.before, 1);
    const strength = what === "appeared" || part > 0.5 ? 3 : part > 0.1 ? 2 : 1;
    if (what === "unchanged") return `same${found}`;
    return `${of.bytes > of.before ? "more" : "less"}-${strength}${found}`;
  }
  if (colour === "kind") return `kind-${of.kind || "mixed"}${found}`;
  let part = of;
  while (part.parent && part.parent !== at && !hues.has(part)) part = part.parent;
  return `${hues.get(part) || (of.crate && of.crate.startsWith("[") ? "no-crate" : "other")}${found}`;
}

function notes(of) {
  const bytes = grouped(of.bytes);
  return colour === "change" && of.bytes !== of.before ? [`${bytes} (${signed(of.bytes - of.before)})`, bytes] : [bytes];
}

// Draws the map of the present node and puts the focus where `focus` says: a node, the first, or (null) nowhere.
function draw(focus) {
  const bytes = at.children.reduce((sum, child) => sum + child.bytes, 0);
  // What is in brackets is no crate, and has no colour beside crates.
  const parts = at === whole ? at.children.filter((child) => !child.name.startsWith("[")) : at.children;
  hues = new Map(parts.slice(0, HUES).map((child, hue) => [child, `hue-${hue + 1}`]));
  map.classList.toggle("empty", bytes === 0);
  cells = bytes === 0 ? [] : drawMap(map, at, whole, paint, notes);
  if (bytes === 0) map.replaceChildren(element("p", "nothing has a size here"));
  const wanted = cells.find((cell) => cell.node === focus || below(focus, cell.node)) || cells[0];
  if (wanted) wanted.tabIndex = 0;
  if (wanted && focus !== null) wanted.focus();
  drawLegend();
}

const below = (inner, outer) => {
  for (let up = inner; up; up = up.parent) if (up === outer) return true;
  return false;
};

function drawLegend() {
  const legends = {
    part: [],
    kind: [["kind-function", "functions"], ["kind-data", "data"], ["kind-custom", "custom sections"], ["kind-section", "other sections"], ["kind-mixed", "several"]],
    change: [["less-3", "much less"], ["less-2", "less"], ["less-1", "a little less"], ["same", "unchanged"], ["more-1", "a little more"], ["more-2", "more"], ["more-3", "much more, or new"]],
  };
  const legend = by("legend");
  legend.hidden = legends[colour].length === 0;
  legend.replaceChildren(
    ...legends[colour].map(([name, text]) => {
      const entry = element("span");
      entry.append(element("span", "", { class: `swatch ${name}` }), text);
      return entry;
    }),
  );
}

// Goes to a node. `focus` is as for `draw`.
function zoom(to, focus) {
  at = to;
  shown = ROWS;
  tip.hidden = true;
  drawPath();
  draw(focus);
  drawList();
  const inside = at.children.length;
  say(`${spoken(at === whole ? { ...whole, name: "the whole file" } : at, whole)}; ${grouped(inside)} ${inside === 1 ? "part" : "parts"} inside`);
}

function zoomIn(to) {
  if (to.children.length) zoom(to, to.children.find((child) => child.bytes > 0) || to.children[0]);
  else say(spoken(to, whole));
}

function zoomOut() {
  if (at.parent) zoom(at.parent, at);
}

function drawPath() {
  const nodes = [];
  for (let up = at; up; up = up.parent) nodes.unshift(up);
  by("path").replaceChildren(
    ...nodes.map((one) => {
      const entry = element("li");
      if (one === at) entry.append(element("span", `${one.label} `, { "aria-current": "true" }), element("small", counted(one.bytes)));
      else {
        const back = element("button", one.label, { type: "button" });
        back.addEventListener("click", () => zoom(one, at));
        entry.append(back);
      }
      return entry;
    }),
  );
}

function say(text) {
  status.textContent = text;
}

// The cell next to `from` in a direction: of those beyond its edge the nearest, such as lie beside it first.
function next(from, key) {
  const flat = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const edges = (cell) => {
    const [x, y, w, h] = [cell.offsetLeft, cell.offsetTop, cell.offsetWidth, cell.offsetHeight];
    return flat ? { start: x, end: x + w, low: y, high: y + h } : { start: y, end: y + h, low: x, high: x + w };
  };
  const here = edges(from);
  let best = null;
  for (const cell of cells) {
    const there = edges(cell);
    const gap = sign > 0 ? there.start - here.end : here.start - there.end;
    if (cell === from || gap < -1) continue;
    const aside = Math.max(0, there.low - here.high, here.low - there.high);
    const off = Math.abs((there.low + there.high) / 2 - (here.low + here.high) / 2);
    const touches = Math.min(there.high, here.high) - Math.max(there.low, here.low) > 0;
    const far = (touches ? 0 : 1e6) + (gap + aside) * 1e2 + off;
    if (!best || far < best.far) best = { cell, far };
  }
  return best && best.cell;
}

function focusOn(cell) {
  for (const other of cells) other.tabIndex = other === cell ? 0 : -1;
  cell.focus();
}

map.addEventListener("focusin", (event) => {
  const cell = event.target.closest(".cell");
  if (cell) say(spoken(cell.node, whole));
});

map.addEventListener("keydown", (event) => {
  const cell = event.target.closest(".cell");
  if (!cell || event.ctrlKey || event.altKey || event.metaKey) return;
  const { key } = event;
  if (key.startsWith("Arrow")) {
    const to = next(cell, key);
    if (to) focusOn(to);
  } else if (key === "Home" || key === "End") focusOn(cells[key === "Home" ? 0 : cells.length - 1]);
  else if (key === "Enter" || key === " ") zoomIn(cell.node);
  else if (key === "Escape" || key === "Backspace") zoomOut();
  else return;
  event.preventDefault();
});

map.addEventListener("click", (event) => {
  const cell = event.target.closest(".cell");
  if (!cell) return;
  if (cell.node.children.length) zoomIn(cell.node);
  else focusOn(cell);
});

map.addEventListener("pointermove", (event) => {
  const over = event.target.closest(".inner, .cell");
  tip.hidden = !over || event.pointerType === "touch";
  if (tip.hidden) return;
  tip.textContent = spoken(over.node, whole);
  const [x, y] = [event.clientX + 14, event.clientY + 18];
  const { offsetWidth: w, offsetHeight: h } = tip;
  tip.style.left = `${Math.max(4, Math.min(x, document.documentElement.clientWidth - w - 8))}px`;
  tip.style.top = `${y + h > innerHeight - 8 ? event.clientY - h - 10 : y}px`;
});

map.addEventListener("pointerleave", () => (tip.hidden = true));

// --- searching

const wanted = () => find.value.trim().toLowerCase();

// Whether something below a node is looked for.
function matches(of) {
  const text = wanted();
  if (!text) return true;
  if (of.found !== undefined && of.foundFor === text) return of.found;
  of.foundFor = text;
  of.found = of.name.toLowerCase().includes(text) || of.children.some(matches);
  return of.found;
}

find.addEventListener("input", () => {
  shown = ROWS;
  draw(null);
  drawList();
  const text = wanted();
  if (!text) return say("");
  const items = rowsBelow(at).filter((row) => row.item.toLowerCase().includes(text));
  const bytes = items.reduce((sum, row) => sum + row.bytes, 0);
  say(`${grouped(items.length)} ${items.length === 1 ? "item has" : "items have"} “${find.value.trim()}” in the name: ${counted(bytes)}`);
});

find.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !find.value) return;
  find.value = "";
  find.dispatchEvent(new Event("input"));
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (event.key !== "/" || typing || event.ctrlKey || event.altKey || event.metaKey) return;
  find.focus();
  event.preventDefault();
});

by("colour").addEventListener("change", (event) => {
  colour = event.target.value;
  draw(null);
});

// --- size and paper

let width = 0;
new ResizeObserver(() => {
  if (map.clientWidth === width) return;
  width = map.clientWidth;
  const focused = document.activeElement && document.activeElement.closest(".cell");
  draw(focused ? focused.node : null);
}).observe(map);
// A sheet is narrower than a screen: the map is laid out for it, and anew for the screen.
addEventListener("beforeprint", () => (document.body.classList.add("paper"), draw(null)));
addEventListener("afterprint", () => (document.body.classList.remove("paper"), draw(null)));

choose(0);

// The table: rows of the node that is shown, added up one way or another. And how elements are made.

const by = (id) => document.getElementById(id);
// How many rows a table shows at first, and more at each press of the button.
const ROWS = 100;
const GROUPINGS = { crate: "crates", module: "modules", family: "families", item: "items", section: "sections" };
const CHANGES = ["all", "appeared", "grew", "shrank", "vanished"];

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function button(text, pressed, press) {
  const made = element("button", text, { type: "button", "aria-pressed": String(pressed) });
  made.addEventListener("click", press);
  return made;
}

function drawList() {
  by("groupings").replaceChildren(
    ...Object.entries(GROUPINGS).map(([value, text], i) =>
      button(text, value === grouping, () => {
        [grouping, shown] = [value, ROWS];
        drawList();
        by("groupings").children[i].focus();
      }),
    ),
  );
  by("changes").hidden = !whole.compared;
  by("changes").replaceChildren(
    ...CHANGES.map((what, i) =>
      button(what, what === only, () => {
        [only, shown] = [what, ROWS];
        drawList();
        by("changes").children[i].focus();
      }),
    ),
  );
  const text = wanted();
  const inside = at === whole ? rows : rowsBelow(at);
  let groups = groupsOf(inside, grouping);
  addWritten(groups);
  if (text) groups = groups.filter((group) => group.name.toLowerCase().includes(text));
  if (whole.compared) {
    groups = groups.filter((group) => only === "all" || changeOf(group) === only);
    const changed = (group) => Math.abs(group.bytes - group.before);
    // Stable: what changed alike stays by its size.
    groups.sort((a, b) => changed(b) - changed(a));
  }
  fillList(groups);
}

// Gives each group what was written in it, and adds those of which no byte is left in the file: so
// the column sums to the code that was linked.
function addWritten(groups) {
  const sums = view.written?.[grouping];
  by("written").hidden = !sums;
  if (!sums) return;
  const known = new Map(groups.map((group) => [group.name, group]));
  for (const [name, written, inlined] of sums) {
    let group = known.get(name);
    if (!group && at === whole) groups.push((group = { name, bytes: 0, before: 0, count: 0 }));
    if (group) Object.assign(group, { written, inlined });
  }
}

function fillList(groups) {
  const list = by("list");
  const shownWritten = Boolean(view.written?.[grouping]);
  const head = ["name", "bytes", "share", "", ...(whole.compared ? ["before", "change", ""] : []), ...(shownWritten ? ["written", "inlined"] : [])];
  const heads = element("tr");
  heads.append(...head.map((text, i) => element(text ? "th" : "td", text, text ? { scope: "col", class: i > 0 ? "number" : "name" } : {})));
  list.tHead.replaceChildren(heads);
  const most = Math.max(1, ...groups.slice(0, shown).map((group) => group.bytes));
  list.tBodies[0].replaceChildren(...groups.slice(0, shown).map((group) => line(group, most, "th")));
  const all = { name: `in all, ${grouped(groups.length)} ${groups.length === 1 ? GROUPINGS[grouping].replace(/ies$/, "y").replace(/s$/, "") : GROUPINGS[grouping]}`, bytes: 0, before: 0, count: 0, written: 0, inlined: 0 };
  for (const group of groups) {
    all.bytes += group.bytes;
    all.before += group.before;
    all.written += group.written ?? 0;
    all.inlined += group.inlined ?? 0;
  }
  list.tFoot.replaceChildren(line(all, 0, "th"));
  const rest = groups.length - shown;
  by("more").hidden = rest <= 0;
  by("more").textContent = `show ${grouped(Math.min(ROWS, rest))} more of ${grouped(rest)}`;
}

function line(group, most, tag) {
  const row = element("tr");
  const name = element(tag, group.name, { scope: "row", class: "name" });
  if (group.count > 1 && most) name.append(element("small", ` ${grouped(group.count)}×`));
  const bar = element("td", undefined, { class: "bars" });
  if (most) {
    const full = element("div");
    full.style.width = `${(group.bytes / most) * 100}%`;
    bar.append(full);
  }
  row.append(name, element("td", grouped(group.bytes), { class: "number" }), element("td", share(group.bytes, whole.bytes), { class: "number" }), bar);
  if (whole.compared) {
    const delta = group.bytes - group.before;
    row.append(
      element("td", grouped(group.before), { class: "number" }),
      element("td", signed(delta), { class: `number ${delta > 0 ? "more" : delta < 0 ? "less" : ""}` }),
      element("td", most ? changeOf(group) : "", { class: "what" }),
    );
  }
  if (view.written?.[grouping]) {
    row.append(
      element("td", grouped(group.written ?? 0), { class: "number" }),
      element("td", grouped(group.inlined ?? 0), { class: "number" }),
    );
  }
  return row;
}

by("more").addEventListener("click", () => {
  shown += ROWS;
  drawList();
});

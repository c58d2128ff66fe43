// The page's data as a tree: file, crate, module, item. And as the groups of the table.

const DATA = JSON.parse(document.getElementById("data").textContent);

// How many nodes of nearly one size stand beside each other before they are put into parts.
const PARTS = 60;

function node(name, label, parent, crate) {
  return { name, label, parent, crate, kind: null, bytes: 0, before: 0, count: 0, children: [], row: null };
}

// The rows of a view as objects. The names of groups are kept once each.
function rowsOf(view) {
  return view.rows.map(([kind, crate, module, family, section, item, bytes, before, count]) => ({
    kind: view.kinds[kind],
    crate: view.names[crate],
    module: view.names[module],
    family: view.names[family],
    section: view.names[section],
    item: view.names[item],
    bytes,
    before,
    count,
  }));
}

function treeOf(view, rows) {
  const root = node(view.title, "whole file", null, null);
  const known = new Map();
  const child = (parent, key, name, label, crate) => {
    const found = known.get(key);
    if (found) return found;
    const made = node(name, label, parent, crate);
    parent.children.push(made);
    known.set(key, made);
    return made;
  };
  const within = (name, outer) => (name.startsWith(`${outer}::`) ? name.slice(outer.length + 2) : name);
  for (const row of rows) {
    const crate = child(root, `c\0${row.crate}`, row.crate, row.crate, row.crate);
    const key = `m\0${row.crate}\0${row.module}`;
    const module = child(crate, key, row.module, within(row.module, row.crate), row.crate);
    const item = node(row.item, shortened(row.item, row.module), module, row.crate);
    item.row = row;
    item.kind = row.kind;
    module.children.push(item);
    for (let at = item; at; at = at.parent) {
      at.bytes += row.bytes;
      at.before += row.before;
      at.count += row.count;
    }
  }
  for (const crate of root.children) {
    // A crate without modules has its items; what is no crate is no module either.
    if (crate.children.length === 1 && crate.children[0].name === crate.name) {
      crate.children = crate.children[0].children;
      for (const item of crate.children) item.parent = crate;
    }
  }
  sortDown(root);
  return root;
}

// A method without the type in front, which the module is called after: `<a::T<u8> as b::Trait>::f` in `a::T` is
// `Trait::f`.
function shortened(name, module) {
  if (name.startsWith(`${module}::`)) return name.slice(module.length + 2);
  if (!name.startsWith(`<${module}`)) return name;
  let depth = 0;
  for (let end = 0; end < name.length; end += 1) {
    if (name[end] === "<") depth += 1;
    // The bracket of an arrow closes nothing.
    if (name[end] === ">" && name[end - 1] !== "-") depth -= 1;
    if (depth > 0) continue;
    const rest = name.slice(end + 1).replace(/^::/, "");
    const trait = /.* as ([^<>]*)/.exec(name.slice(1, end));
    return rest && trait ? `${trait[1].split("::").pop()}::${rest}` : rest || name;
  }
  return name;
}

const bySize = (a, b) => b.bytes - a.bytes || b.before - a.before || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

function sortDown(at) {
  at.children.sort(bySize);
  at.children.forEach(sortDown);
}

// Several nodes as one that can be zoomed into.
function together(nodes) {
  const first = nodes[0];
  const name = `${grouped(nodes.length)} smaller ones`;
  const all = node(name, name, first.parent, first.crate);
  all.children = nodes;
  if (nodes.length > PARTS * 4) {
    const size = Math.ceil(nodes.length / PARTS);
    all.children = [];
    for (let at = 0; at < nodes.length; at += size) {
      const part = nodes.slice(at, at + size);
      const label = `${part[0].label} … ${part[part.length - 1].label}`;
      all.children.push(sum(Object.assign(node(label, label, all, first.crate), { children: part })));
    }
  }
  return sum(all);
}

function sum(at) {
  for (const child of at.children) {
    at.bytes += child.bytes;
    at.before += child.before;
    at.count += child.count;
  }
  return at;
}

// Every row below a node.
function rowsBelow(at, into = []) {
  if (at.row) into.push(at.row);
  for (const child of at.children) rowsBelow(child, into);
  return into;
}

// Custom sections, which no engine reads and which go: last but in the table of sections.
const isForTools = (name) => name === "[custom sections]" || name.startsWith("[custom section ");

// Rows added up by one of their fields, the largest first.
function groupsOf(rows, field) {
  const found = new Map();
  for (const row of rows) {
    let group = found.get(row[field]);
    if (!group) found.set(row[field], (group = { name: row[field], bytes: 0, before: 0, count: 0 }));
    group.bytes += row.bytes;
    group.before += row.before;
    group.count += row.count;
  }
  const last = (group) => field !== "section" && isForTools(group.name);
  return [...found.values()].sort((a, b) => last(a) - last(b) || bySize(a, b));
}

// What happened to a node or a group: the words of `build-support diff`.
function changeOf({ bytes, before }) {
  if (bytes === before) return "unchanged";
  if (before === 0) return "appeared";
  if (bytes === 0) return "vanished";
  return bytes > before ? "grew" : "shrank";
}

const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
const counted = (number) => `${grouped(number)} ${number === 1 ? "byte" : "bytes"}`;
const signed = (number) => (number === 0 ? "0" : number > 0 ? `+${grouped(number)}` : `−${grouped(-number)}`);
const share = (part, whole) => (whole ? `${((part / whole) * 100).toFixed(1)}%` : "0.0%");

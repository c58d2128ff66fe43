// Draws the treemap of one node: its children, and inside each what it is made of. Knows nothing of what is clicked.

// Below these areas, in square pixels, a rectangle is drawn together with its neighbours.
const SMALLEST = 160;
const SMALLEST_INSIDE = 120;
// No more rectangles than this, however large the file.
const MOST = 240;
const MOST_INSIDE = 1200;
// The strip with the name of what has something inside, and the rim around that, in pixels.
const STRIP = 20;
const RIM = 2;

// Fills `map` with the rectangles of `at` and gives those that can be chosen, the largest first. `paint` gives the class
// of a node's colour, `notes` what can stand beside its name, the longest first.
function drawMap(map, at, whole, paint, notes) {
  const box = { x: 0, y: 0, w: map.clientWidth, h: map.clientHeight };
  const children = visible(at.children.length ? at.children : [at], box, SMALLEST, MOST);
  const rects = squarify(children.map((child) => child.bytes), box).map(onPixels);
  let room = MOST_INSIDE;
  const cells = children.map((child, position) => {
    const cell = rectangle(rects[position], `cell ${paint(child)}`);
    cell.node = child;
    cell.tabIndex = -1;
    cell.setAttribute("role", "treeitem");
    cell.setAttribute("aria-level", depth(child));
    cell.setAttribute("aria-setsize", children.length);
    cell.setAttribute("aria-posinset", position + 1);
    cell.setAttribute("aria-label", spoken(child, whole));
    if (child.children.length) cell.setAttribute("aria-expanded", "false");
    const { w, h } = rects[position];
    if (child.children.length && w >= 44 && h >= STRIP + 24) {
      cell.classList.add("outer");
      label(cell, child, notes, { w: w - 1, h: STRIP });
      room -= drawInside(cell, child, { x: RIM, y: STRIP, w: w - 2 * RIM - 1, h: h - STRIP - RIM - 1 }, room, paint, notes);
    } else {
      label(cell, child, notes, { w: w - 1, h: h - 1 });
    }
    return cell;
  });
  map.replaceChildren(...cells);
  return cells;
}

function drawInside(cell, outer, box, room, paint, notes) {
  const children = visible(outer.children, box, SMALLEST_INSIDE, 80);
  if (children.length > room) return 0;
  const rects = squarify(children.map((child) => child.bytes), box).map(onPixels);
  children.forEach((child, position) => {
    const inner = rectangle(rects[position], `inner ${paint(child)}`);
    inner.node = child;
    inner.setAttribute("aria-hidden", "true");
    label(inner, child, notes, { w: rects[position].w - 1, h: rects[position].h - 1 });
    cell.append(inner);
  });
  return children.length;
}

function rectangle({ x, y, w, h }, classes) {
  const made = document.createElement("div");
  made.className = classes;
  Object.assign(made.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
  return made;
}

// How wide a figure is drawn, in pixels: one that is cut off would be another figure.
const pen = document.createElement("canvas").getContext("2d");
pen.font = `12px ${getComputedStyle(document.documentElement).fontFamily}`;
const widthOf = (text) => pen.measureText(text).width;

// The name, as much of it as there are lines for, and none where a name would be nothing but dots; and of the notes the
// longest that there is room for.
function label(cell, of, notes, { w, h }) {
  const lines = Math.floor((h - 3) / 16);
  if (lines < 1 || w < 34) return;
  const made = document.createElement("span");
  made.className = "label";
  made.style.maxHeight = `${lines * 16 + 2}px`;
  const name = document.createElement("b");
  name.textContent = of.label;
  const extra = document.createElement("i");
  // Beside the name that has to stay readable, or below it.
  const room = w - 12 - (lines === 1 ? 48 : 0);
  extra.textContent = notes(of).find((text) => widthOf(text) <= room) ?? "";
  if (lines === 1) {
    made.classList.add("line");
    made.append(name, extra);
  } else {
    const nameLines = Math.max(1, lines - 1);
    name.style.setProperty("-webkit-line-clamp", String(nameLines));
    name.style.maxHeight = `${nameLines * 16}px`;
    made.append(name, extra);
  }
  cell.append(made);
}

function depth(at) {
  let level = 0;
  for (let up = at.parent; up; up = up.parent) level += 1;
  return level;
}

// A node in a sentence: what is read aloud, and what the line below the map says.
function spoken(at, whole) {
  let text = `${at.name}: ${counted(at.bytes)}, ${share(at.bytes, whole.bytes)} of the file`;
  if (whole.compared) {
    const what = changeOf(at);
    text += what === "unchanged" ? ", unchanged" : `, ${what}, ${signed(at.bytes - at.before)} since ${counted(at.before)}`;
  }
  if (at.count > 1) text += `, ${grouped(at.count)} items`;
  return text;
}

// The layout, and nothing of the page: rectangles whose areas are as their sizes, as square as they come (Bruls,
// Huizing, van Wijk, "Squarified Treemaps", 2000).

// Rectangles for `sizes`, the largest first and none 0, that fill `box` without a gap.
function squarify(sizes, box) {
  const rects = [];
  let { x, y, w, h } = box;
  let left = sizes.reduce((sum, size) => sum + size, 0);
  let start = 0;
  while (start < sizes.length) {
    const scale = (w * h) / left;
    const side = Math.min(w, h);
    let end = start;
    let row = 0;
    let worst = Infinity;
    while (end < sizes.length) {
      const sum = row + sizes[end];
      const strip = (sum * scale) / side;
      const ratio = Math.max((sizes[start] * scale) / strip / strip, (strip * strip) / (sizes[end] * scale));
      if (ratio > worst) break;
      [row, worst] = [sum, ratio];
      end += 1;
    }
    // The last row takes what is there, whatever the rounding.
    const thick = end === sizes.length ? Math.max(w, h) : (row * scale) / side;
    let along = 0;
    for (; start < end; start += 1) {
      const length = (sizes[start] / row) * side;
      rects.push(w >= h ? { x, y: y + along, w: thick, h: length } : { x: x + along, y, w: length, h: thick });
      along += length;
    }
    if (w >= h) [x, w] = [x + thick, w - thick];
    else [y, h] = [y + thick, h - thick];
    left -= row;
  }
  return rects;
}

// Edges on whole pixels: neighbours share an edge, so that nothing overlaps and nothing is left out.
function onPixels({ x, y, w, h }) {
  const [left, top] = [Math.round(x), Math.round(y)];
  return { x: left, y: top, w: Math.round(x + w) - left, h: Math.round(y + h) - top };
}

// What is drawn of `children`, the largest first: those with at least `area` square pixels of `box`, at most `most`,
// and the others together as one. Every byte stays.
function visible(children, box, area, most) {
  const shown = children.filter((child) => child.bytes > 0);
  const bytes = shown.reduce((sum, child) => sum + child.bytes, 0);
  const enough = (child) => (child.bytes / bytes) * box.w * box.h >= area;
  let count = Math.min(most, shown.filter(enough).length);
  // Where all are tiny some are drawn nevertheless.
  count = Math.max(count, Math.min(shown.length, 20));
  if (shown.length - count <= 1) return shown;
  const others = together(shown.slice(count));
  const all = [...shown.slice(0, count), others];
  return all.sort((a, b) => b.bytes - a.bytes);
}

// A QR code of a text (ISO/IEC 18004, byte mode, level L, versions 1 to 13): what a phone takes a
// pairing link from.

// By version: bytes of a block's check, and how many blocks of how many data bytes.
const BLOCKS = [
  [7, 1, 19], [10, 1, 34], [15, 1, 55], [20, 1, 80], [26, 1, 108], [18, 2, 68], [20, 2, 78],
  [24, 2, 97], [30, 2, 116], [18, 2, 68, 2, 69], [20, 4, 81], [24, 2, 92, 2, 93], [26, 4, 107],
];
// Where alignment patterns have their centres, by version.
const CENTRES = [
  [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46],
  [6, 28, 50], [6, 30, 54], [6, 32, 58], [6, 34, 62],
];
/** @type {((x: number, y: number) => boolean)[]} */
const MASKS = [
  (x, y) => (x + y) % 2 === 0, (_, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => ((y >> 1) + Math.floor(x / 3)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

// The field of 256 elements over x^8 + x^4 + x^3 + x^2 + 1.
const EXP = new Uint8Array(512);
const LOG = new Uint8Array(256);
for (let i = 0, value = 1; i < 255; i += 1) {
  EXP[i] = EXP[i + 255] = value;
  LOG[value] = i;
  value = (value << 1) ^ (value & 128 ? 0x11d : 0);
}
const times = (/** @type {number} */ a, /** @type {number} */ b) => (a && b ? EXP[LOG[a] + LOG[b]] : 0);

/** The check of a block (Reed and Solomon). @param {number[]} data @param {number} count */
function check(data, count) {
  let by = [1];
  for (let i = 0; i < count; i += 1) {
    const next = [...by, 0];
    by.forEach((one, k) => (next[k + 1] ^= times(one, EXP[i])));
    by = next;
  }
  const rest = [...data, ...new Array(count).fill(0)];
  data.forEach((_, i) => {
    const lead = rest[i];
    by.forEach((one, k) => (rest[i + k] ^= times(one, lead)));
  });
  return rest.slice(data.length);
}

/**
 * The bytes of a code: data and checks of its blocks in turns.
 * @param {Uint8Array} text
 * @param {number} version
 */
function codewords(text, version) {
  const [count, ...shape] = BLOCKS[version - 1];
  const sizes = [];
  for (let i = 0; i < shape.length; i += 2) sizes.push(...new Array(shape[i]).fill(shape[i + 1]));
  const room = sizes.reduce((sum, size) => sum + size, 0);
  const length = version < 10 ? 8 : 16;
  if (12 + (length - 8) + text.length * 8 > room * 8) return undefined;
  const bits = `0100${text.length.toString(2).padStart(length, "0")}${[...text].map((byte) => byte.toString(2).padStart(8, "0")).join("")}0000`;
  const whole = bits.slice(0, room * 8).padEnd(Math.min(Math.ceil(bits.length / 8), room) * 8, "0");
  const data = whole.match(/.{8}/g)?.map((byte) => parseInt(byte, 2)) ?? [];
  for (let i = 0; data.length < room; i += 1) data.push(i % 2 ? 0x11 : 0xec);
  let at = 0;
  const blocks = sizes.map((size) => data.slice(at, (at += size)));
  const checks = blocks.map((block) => check(block, count));
  const inTurns = (/** @type {number[][]} */ all) => Array.from({ length: Math.max(...all.map((one) => one.length)) }, (_, i) => all.flatMap((one) => (i < one.length ? [one[i]] : []))).flat();
  return [...inTurns(blocks), ...inTurns(checks)];
}

/**
 * `value` followed by its remainder (Bose, Chaudhuri and Hocquenghem).
 * @param {number} value
 * @param {number} by
 * @param {number} bits
 */
function followed(value, by, bits) {
  let rest = value << bits;
  for (let i = 31; i >= bits; i -= 1) if ((rest >>> i) & 1) rest ^= by << (i - bits);
  return (value << bits) | rest;
}

/** What is the same in every code of a version; the rest is undefined. @param {number} version */
function frame(version) {
  const size = version * 4 + 17;
  /** @type {(boolean | undefined)[][]} */
  const rows = Array.from({ length: size }, () => new Array(size).fill(undefined));
  const set = (/** @type {number} */ x, /** @type {number} */ y, /** @type {boolean} */ dark) => {
    if (x >= 0 && y >= 0 && x < size && y < size) rows[y][x] = dark;
  };
  const square = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ far, /** @type {number[]} */ light) => {
    for (let dy = -far; dy <= far; dy += 1) for (let dx = -far; dx <= far; dx += 1) set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
  };
  for (let i = 8; i < size - 8; i += 1) [set(i, 6, i % 2 === 0), set(6, i, i % 2 === 0)];
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(x, y, 4, [2, 4]);
  const centres = CENTRES[version - 1];
  const last = centres.length - 1;
  centres.forEach((x, i) => centres.forEach((y, k) => {
    if (!((i === 0 && k === 0) || (i === 0 && k === last) || (i === last && k === 0))) square(x, y, 2, [1]);
  }));
  if (version >= 7) {
    const bits = followed(version, 0x1f25, 12);
    for (let i = 0; i < 18; i += 1) {
      const [a, b] = [Math.floor(i / 3), size - 11 + (i % 3)];
      [set(a, b, ((bits >> i) & 1) === 1), set(b, a, ((bits >> i) & 1) === 1)];
    }
  }
  return { size, rows };
}

/** Level L and the mask, twice. @param {boolean[][]} rows @param {number} mask */
function format(rows, mask) {
  const size = rows.length;
  const bits = followed(8 | mask, 0x537, 10) ^ 0x5412;
  const bit = (/** @type {number} */ i) => ((bits >> i) & 1) === 1;
  for (let i = 0; i < 15; i += 1) {
    const near = i < 6 ? i : i < 8 ? i + 1 : size - 15 + i;
    rows[near][8] = bit(i);
    rows[8][i < 8 ? size - 1 - i : i === 8 ? 7 : 14 - i] = bit(i);
  }
  rows[size - 8][8] = true;
}

/**
 * How badly a code is read: runs, squares, and what looks like a corner.
 * @param {boolean[][]} rows
 */
function penalty(rows) {
  const size = rows.length;
  const lines = [...rows, ...rows.map((_, x) => rows.map((row) => row[x]))].map((line) => line.map(Number).join(""));
  let sum = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) sum += run.length - 2;
    sum += 40 * [...line.matchAll(/(?=00001011101|10111010000)/g)].length;
  }
  for (let y = 1; y < size; y += 1) for (let x = 1; x < size; x += 1) if (rows[y][x] === rows[y - 1][x] && rows[y][x] === rows[y][x - 1] && rows[y][x] === rows[y - 1][x - 1]) sum += 3;
  const dark = lines.slice(0, size).join("").replaceAll("0", "").length / size / size;
  return sum + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}

/**
 * The code of a text as rows of dark (true) and light modules; nothing if it is too long.
 * @param {string} text @returns {boolean[][] | undefined}
 */
export function encode(text) {
  const bytes = new TextEncoder().encode(text);
  for (let version = 1; version <= BLOCKS.length; version += 1) {
    const words = codewords(bytes, version);
    if (!words) continue;
    const bits = words.map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const all = MASKS.map((hides, mask) => {
      const { size, rows } = frame(version);
      const drawn = /** @type {boolean[][]} */ (rows);
      // Places of the format, so that no data goes there.
      format(drawn, mask);
      let at = 0;
      for (let right = size - 1; right > 0; right -= 2) {
        if (right === 6) right = 5;
        const up = ((right + 1) & 2) === 0;
        for (let i = 0; i < size; i += 1) {
          const y = up ? size - 1 - i : i;
          for (const x of [right, right - 1]) {
            if (rows[y][x] !== undefined) continue;
            drawn[y][x] = (bits[at] === "1") !== hides(x, y);
            at += 1;
          }
        }
      }
      return drawn;
    });
    return all.reduce((best, one) => (penalty(one) < penalty(best) ? one : best));
  }
  return undefined;
}

/**
 * A drawing of it, with the light border that it needs.
 * @param {string} text
 * @returns {SVGElement | undefined}
 */
export function draw(text) {
  const rows = encode(text);
  if (!rows) return undefined;
  const make = (/** @type {string} */ tag, /** @type {Record<string, string>} */ with_) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(with_).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  };
  const size = rows.length + 8;
  const svg = make("svg", { viewBox: `0 0 ${size} ${size}`, width: String(size * 4), height: String(size * 4), role: "img", "aria-label": "QR code of the pairing link", "shape-rendering": "crispEdges" });
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))).join("");
  svg.append(make("rect", { width: String(size), height: String(size), fill: "#fff" }), make("path", { d: path, fill: "#000" }));
  return /** @type {SVGElement} */ (svg);
}

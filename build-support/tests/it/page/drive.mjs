// Opens a page in Chromium, uses it as people do, and prints what was seen as one line of JSON: `drive.mjs CHROMIUM PAGE
// FOLDER STORY`. What it ought to be is for `page.rs` to say. The screenshots go to FOLDER.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, start } from "./browser.mjs";
import { decode } from "./png.mjs";

const [chromium, file, folder, story] = process.argv.slice(2);
const browser = start(chromium, (why) => {
  console.error(why);
  process.exit(1);
});

// Functions for the page itself, where they are called by name.
const IN_PAGE = `
const seen = {
  text: (id) => document.getElementById(id).innerText.trim(),
  cells: () => [...document.querySelectorAll("#map .cell")].map((cell) => {
    const { x, y, width, height } = cell.getBoundingClientRect();
    return { says: cell.getAttribute("aria-label"), outer: cell.classList.contains("outer"), x, y, width, height,
      background: getComputedStyle(cell).backgroundColor };
  }),
  // What has the focus: its id or text, for a rectangle what is read aloud of it.
  focus: () => {
    const at = document.activeElement;
    return at.getAttribute("aria-label") && at.closest(".cell") ? at.getAttribute("aria-label") : at.id || (at === document.body ? "nothing" : at.innerText);
  },
  tabStops: () => document.querySelectorAll("#map [tabindex='0']").length,
  // The ring of the rectangle that has the focus.
  ring: () => getComputedStyle(document.activeElement, "::after").borderTopWidth,
  list: () => [...document.querySelectorAll("#list tbody tr")].map((row) => [...row.children].map((cell) => cell.innerText.trim())),
  foot: () => [...document.querySelectorAll("#list tfoot tr > *")].map((cell) => cell.innerText.trim()),
  // Labels that stick out of their rectangle, and figures that do not fit into their label: cut, they would be others.
  sticking: () => [...document.querySelectorAll("#map .label, #map .label i")].filter((label) => {
    const [inner, outer] = [label.getBoundingClientRect(), label.parentElement.getBoundingClientRect()];
    return inner.right > outer.right + 0.5 || inner.bottom > outer.bottom + 0.5 || inner.left < outer.left || inner.top < outer.top;
  }).map((label) => label.innerText),
  labels: () => document.querySelectorAll("#map .label").length,
  // The least contrast of a text with what it stands on (WCAG 2.1, "contrast ratio").
  contrast: () => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => {
      const [r, g, b] = numbers(colour).slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (of) => {
      for (let up = of; up; up = up.parentElement) {
        const colour = getComputedStyle(up).backgroundColor;
        const alpha = numbers(colour)[3];
        if (alpha === undefined || alpha === 1) return colour;
        if (alpha > 0) throw new Error("a translucent background");
      }
      return getComputedStyle(document.documentElement).backgroundColor;
    };
    let least = { ratio: 21 };
    for (const of of document.body.querySelectorAll("*")) {
      const texts = [...of.childNodes].filter((one) => one.nodeType === 3 && one.data.trim());
      if (!texts.length || !of.checkVisibility() || ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION"].includes(of.tagName)) continue;
      const [a, b] = [light(getComputedStyle(of).color), light(behind(of))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < least.ratio) least = { ratio, text: texts[0].data.trim().slice(0, 60) };
    }
    return least;
  },
  nodes: () => document.querySelectorAll("*").length,
};
globalThis.seen = seen;
`;

async function visit(dark, steps) {
  const page = await open(browser, file, { width: 1280, height: 1000, dark });
  await page.run(IN_PAGE);
  page.see = (what, ...args) => page.run(`seen.${what}(${args.map((arg) => JSON.stringify(arg)).join(",")})`);
  page.keep = async (name) => {
    const png = await page.picture();
    writeFileSync(join(folder, `${name}.png`), png);
    return decode(png);
  };
  const found = await steps(page);
  return { ...found, requests: page.sent(), complaints: page.complaints };
}

// How far the rectangle's own colour goes from its lower right corner, where no label is: its drawn width and height.
function drawn(picture, { x, y, width, height }) {
  const [right, bottom] = [Math.round(x + width) - 4, Math.round(y + height) - 4];
  const colour = picture.at(right, bottom);
  const run = (stepX, stepY) => {
    let [atX, atY, length] = [right, bottom, 0];
    while (atX >= 0 && atY >= 0 && atX < picture.width && atY < picture.height && picture.at(atX, atY) === colour) {
      [atX, atY, length] = [atX + stepX, atY + stepY, length + 1];
    }
    return length;
  };
  return { width: run(-1, 0) + run(1, 0) - 1, height: run(0, -1) + run(0, 1) - 1, colour };
}

async function intoCrate(page) {
  const crate = (await page.see("cells")).find((cell) => cell.outer);
  await page.click(crate.x + 30, crate.y + 10);
  const [path, status] = [await page.see("text", "path"), await page.see("text", "status")];
  return { says: crate.says, path, status, foot: await page.see("foot"), cells: await page.see("cells") };
}

// Each grouping, by its button.
async function tables(page) {
  const found = {};
  for (let i = 0; i < 5; i += 1) {
    await page.run(`document.querySelectorAll("#groupings button")[${i}].click()`);
    const name = await page.run(`document.querySelectorAll("#groupings button")[${i}].innerText`);
    found[name] = { rows: await page.see("list"), foot: await page.see("foot") };
  }
  return found;
}

const STORIES = {
  // Into a crate by mouse; and every table of the whole file.
  async use(page) {
    const found = { whole: await page.see("cells"), status: await page.see("text", "status"), groupings: await tables(page) };
    found.crate = await intoCrate(page);
    return found;
  },

  // From a crate into a module and out again; the tab key; the search.
  async keys(page) {
    await intoCrate(page);
    const found = { keys: [], tabs: [] };
    for (const key of ["Home", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "End", "Home", "Enter", "Enter", "Escape", "Backspace", "Escape"]) {
      await page.press(key);
      const [focus, path, stops, ring] = [await page.see("focus"), await page.see("text", "path"), await page.see("tabStops"), await page.see("ring")];
      found.keys.push({ key, focus, path, stops, ring });
    }
    // From the title on, what the tab key comes by.
    await page.run("document.querySelector('h1').tabIndex = -1; document.querySelector('h1').focus()");
    for (let i = 0; i < 12; i += 1) {
      await page.press("Tab");
      found.tabs.push(await page.see("focus"));
    }
    await page.run("document.querySelector('#map .cell').focus()");
    await page.press("/", "/");
    found.slash = await page.see("focus");
    await page.run(`document.querySelectorAll("#groupings button")[3].click(); document.getElementById("find").focus()`);
    await page.type("parse");
    found.search = { status: await page.see("text", "status"), list: await page.see("list"), dim: await page.run("document.querySelectorAll('#map .dim').length") };
    await page.press("Escape");
    found.after = await page.see("list");
    return found;
  },

  // Whether any name has become more than a name, and what a printer would get.
  async names(page) {
    const found = { groupings: await tables(page) };
    const { data } = await page.send("Page.printToPDF", { printBackground: true });
    found.paper = Buffer.from(data, "base64").toString("latin1", 0, 5);
    found.hacked = await page.run("String(globalThis.hacked)");
    found.pictures = await page.run("document.images.length + document.querySelectorAll('body script:not([type])').length");
    return found;
  },

  // What the page's policy does with what a name would have to do, if one ever got out of its place.
  async policy(page) {
    // Each refusal is complained of, which is as it should be here.
    await page.send("Log.disable");
    return page.run(`new Promise((done) => {
      const refused = [];
      let sent = false;
      const look = () => sent && refused.includes("form-action") && done({ refused, hacked: String(globalThis.hacked) });
      document.addEventListener("securitypolicyviolation", (event) => {
        refused.push(event.effectiveDirective);
        look();
      });
      const script = document.createElement("script");
      script.textContent = "hacked = 1";
      const image = new Image();
      image.src = "http://127.0.0.1:9/a.png";
      const form = document.createElement("form");
      form.action = "http://127.0.0.1:9/";
      const style = document.createElement("style");
      style.textContent = "body { display: none }";
      document.body.append(script, image, form, style);
      document.body.setAttribute("onclick", "hacked = 2");
      document.body.click();
      form.submit();
      fetch("http://127.0.0.1:9/").catch(() => {
        sent = true;
        look();
      });
    })`);
  },

  // What is drawn, held against the pixels.
  async look(page) {
    const found = {};
    for (const view of ["whole", "crate", "module"]) {
      if (view !== "whole") {
        // The largest with something inside.
        const cell = (await page.see("cells")).find((one) => one.outer || view === "module");
        await page.click(cell.x + 30, cell.y + 10);
        await page.mouse("mouseMoved", 2, 2);
        await page.run("document.activeElement.blur()");
        await page.drawn();
      }
      const picture = await page.keep(`${story}-${view}-${page.dark ? "dark" : "light"}`);
      const cells = (await page.see("cells")).map((cell) => ({ ...cell, drawn: cell.outer ? null : drawn(picture, cell) }));
      const colours = new Set();
      for (let y = 0; y < picture.height; y += 3) for (let x = 0; x < picture.width; x += 3) colours.add(picture.at(x, y));
      const map = await page.run("(({ clientWidth: w, clientHeight: h }) => ({ width: w, height: h }))(document.getElementById('map'))");
      found[view] = { cells, colours: colours.size, sticking: await page.see("sticking"), labels: await page.see("labels"), contrast: await page.see("contrast"), map };
    }
    return found;
  },

  // A page beside an old file.
  async compare(page) {
    const found = { status: await page.see("text", "status"), list: await page.see("list"), foot: await page.see("foot"), colour: await page.run("document.getElementById('colour').value") };
    await page.keep(`compare-${page.dark ? "dark" : "light"}`);
    found.contrast = await page.see("contrast");
    found.only = {};
    await page.run(`[...document.querySelectorAll("#groupings button")].find((one) => one.innerText === "items").click()`);
    for (const what of ["appeared", "grew", "shrank", "vanished"]) {
      await page.run(`[...document.querySelectorAll("#changes button")].find((one) => one.innerText === "${what}").click()`);
      found.only[what] = await page.see("list");
    }
    return found;
  },

  // Where code was written: the table by crate, of the whole file and of one crate, and by item.
  async written(page) {
    const found = { heads: await page.run(`[...document.querySelectorAll("#list thead tr > *")].map((cell) => cell.innerText)`), note: await page.see("text", "written"), groupings: await tables(page) };
    await page.run(`document.querySelectorAll("#groupings button")[0].click()`);
    found.crate = await intoCrate(page);
    found.crate.rows = await page.see("list");
    await page.keep("written");
    return found;
  },

  // A large file: how much there is to draw, at every depth.
  async large(page) {
    const found = { status: await page.see("text", "status"), nodes: [await page.see("nodes")], paths: [] };
    for (let depth = 0; depth < 3; depth += 1) {
      const cells = await page.see("cells");
      const cell = cells.find((one) => one.says.startsWith("crate_")) ?? cells[0];
      await page.click(cell.x + 12, cell.y + 8);
      found.nodes.push(await page.see("nodes"));
      found.paths.push(await page.see("text", "path"));
    }
    await page.keep("large");
    return found;
  },
};

const both = story === "look" || story === "compare";
const found = [];
for (const dark of both ? [false, true] : [false]) {
  found.push(await visit(dark, (page) => STORIES[story](Object.assign(page, { dark }))));
}
await browser.stop();
console.log(JSON.stringify(found));

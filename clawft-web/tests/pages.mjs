// How a page is used.
export const ready = (tab, name) => tab.until(`document.documentElement.dataset.ready === ${JSON.stringify(name)}`, `${name} is ready`);

export async function say(tab, name, text, has) {
  const answers = `document.querySelectorAll("#${name}-chat .said.assistant, #${name}-chat .said.note").length`;
  const before = await tab.run(answers);
  await tab.until(`!document.getElementById("${name}-input").disabled`);
  await tab.run(`document.getElementById("${name}-input").focus()`);
  await tab.type(text);
  await tab.press("Enter");
  await tab.until(`${answers} > ${before} && document.querySelector("#${name}-view [type=submit].main").disabled === false`, `an answer to ${text}`);
  const last = await tab.run(`[...document.querySelectorAll("#${name}-chat .said.assistant, #${name}-chat .said.note")].at(-1).lastChild.textContent`);
  if (has !== undefined && !last.includes(has)) throw new Error(`${text}: ${last}, without ${has}`);
  return last;
}

// The conversation as it is shown, without what is folded.
export const shown = (tab, name) => tab.run(`[...document.querySelectorAll("#${name}-chat .said")].map((one) => one.className.split(" ")[1] + ": " + one.lastChild.textContent)`);

export const open = (tab, name, panel) => tab.run(`document.getElementById("${name}-tab-${panel}").click()`).then(() => tab.until(`document.querySelector("#${name}-${panel} h2")`, panel));

export const status = (tab) => tab.run(`document.getElementById("status").textContent`);
export const banners = (tab) => tab.run(`[...document.querySelectorAll(".banner p")].map((one) => one.textContent)`);
export const press = (tab, label) => tab.run(`[...document.querySelectorAll("button")].find((one) => one.textContent === ${JSON.stringify(label)} && one.checkVisibility()).click()`);

// Asks the worker of a page's example, as the page does.
export const ask = (tab, name, what, message = {}) => tab.run(`import(document.querySelector("script[type=module]").src).then(({ app }) => app(${JSON.stringify(name)}).ask(${JSON.stringify(what)}, ${JSON.stringify(message)}))`);

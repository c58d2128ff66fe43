// What a package does with another file in place of its own.
// node behaviour.mjs NODE_MODULES FILE WASM SCRIPT FOLDER
// FILE is the module to be replaced, below NODE_MODULES, by WASM; the package with it in place is
// made in FOLDER, and SCRIPT, a module there, uses it and prints what came of it.
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file, wasm, script, folder] = process.argv.slice(2);
const of = (path) => path.split("/").slice(0, path.startsWith("@") ? 2 : 1).join("/");
const packages = readdirSync(modules)
  .filter((name) => !name.startsWith("."))
  .flatMap((name) =>
    name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  );

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "node_modules"), { recursive: true });
for (const name of packages) {
  const place = join(folder, "node_modules", name);
  mkdirSync(resolve(place, ".."), { recursive: true });
  if (name === of(file)) {
    cpSync(join(modules, name), place, { recursive: true });
  } else {
    symlinkSync(resolve(modules, name), place);
  }
}
copyFileSync(wasm, join(folder, "node_modules", file));
copyFileSync(script, join(folder, "script.mjs"));
process.argv = [process.argv[0], join(folder, "script.mjs"), file];
process.chdir(folder);
await import(pathToFileURL(resolve("script.mjs")));

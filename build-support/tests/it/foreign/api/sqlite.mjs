// @sqlite.org/sqlite-wasm, C by emscripten.
import { readFileSync } from "node:fs";

// It looks for a page.
globalThis.self = globalThis;
globalThis.location = new URL("file:///");
const folder = "./node_modules/@sqlite.org/sqlite-wasm/sqlite-wasm/jswasm";
const { default: init } = await import(`${folder}/sqlite3.mjs`);
const sqlite3 = await init({ wasmBinary: readFileSync(`node_modules/${process.argv[2]}`), print: console.log, printErr: () => {} });
console.log(sqlite3.version.libVersion);
const db = new sqlite3.oo1.DB(":memory:");
db.exec("create table t(a integer primary key, b text, c real); create index i on t(b);");
for (let i = 0; i < 500; i++) {
  db.exec({ sql: "insert into t(b, c) values(?, ?)", bind: [`name ${i % 7}`, i / 3] });
}
for (const sql of [
  "select b, count(*), sum(c), avg(c) from t group by b order by 2 desc, 1",
  "with recursive f(n, a, b) as (select 1, 0, 1 union all select n + 1, b, a + b from f where n < 40) select max(a) from f",
  "select json_group_array(json_object('a', a, 'b', upper(b))) from t where a % 100 = 0",
  "explain query plan select * from t where b = 'x'",
]) {
  console.log(JSON.stringify(db.exec({ sql, rowMode: "array", returnValue: "resultRows" })));
}
try {
  db.exec("select * from missing");
} catch (error) {
  console.log(error.message);
}

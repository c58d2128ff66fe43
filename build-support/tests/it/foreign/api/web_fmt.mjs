// @wasm-fmt/web_fmt, Rust by wasm-bindgen.
import { format } from "@wasm-fmt/web_fmt";

for (const [name, source] of [
  ["a.css", "a{color:red;background:url( x.png )}@media (min-width:1px){b{c:d}}"],
  ["a.js", "const f=async(x)=>{for await(const y of x){if(y)continue;else return{...y,a:`${y}`}}}"],
  ["a.tsx", "type A<T>=T extends string?1:2;export const x=<div a={1}>{y}</div>"],
  ["a.html", "<p>hello<b>you</b><ul><li>x<li>y</ul>"],
  ["a.json", '{"a":[1,2,{"b":null}]}'],
  ["a.graphql", "type A{b(c:Int=1):[D!]!}"],
]) {
  try {
    console.log(format(source, name));
  } catch (error) {
    console.log(name, String(error));
  }
}
try {
  console.log(format("a{", "a.css"));
} catch (error) {
  console.log(String(error).split("\n")[0]);
}

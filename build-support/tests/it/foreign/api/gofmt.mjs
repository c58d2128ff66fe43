// @wasm-fmt/gofmt, Go by TinyGo.
import { format } from "@wasm-fmt/gofmt";

for (const source of [
  "package main\nimport (\"fmt\"; \"os\")\nfunc main(){x:=map[string]int{\"a\":1,\"bcd\":2}\nfor k,v:=range x{fmt.Println(k,v,os.Args)}}",
  "package p\ntype T struct{a int `json:\"a\"`\nlonger string // why\n}\n",
]) {
  console.log(format(source));
}
try {
  console.log(format("package main\nfunc {"));
} catch (error) {
  console.log(String(error.message ?? error));
}

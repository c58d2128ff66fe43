// source-map, Rust without bindings.
import { createRequire } from "node:module";

const { SourceMapConsumer, SourceMapGenerator } = createRequire(import.meta.url)("source-map");
const generator = new SourceMapGenerator({ file: "out.js" });
for (let i = 0; i < 200; i++) {
  generator.addMapping({
    source: `in${i % 3}.js`,
    original: { line: 1 + (i * 7) % 90, column: (i * 13) % 60 },
    generated: { line: 1 + (i >> 3), column: (i * 11) % 80 },
    name: i % 5 ? undefined : `name${i}`,
  });
}
await SourceMapConsumer.with(generator.toString(), null, (consumer) => {
  const seen = [];
  consumer.eachMapping((mapping) => seen.push(Object.values(mapping)));
  console.log(JSON.stringify(seen));
  for (const line of [1, 5, 25]) {
    console.log(JSON.stringify(consumer.originalPositionFor({ line, column: 40 })));
    console.log(JSON.stringify(consumer.allGeneratedPositionsFor({ source: "in1.js", line, column: 3 })));
  }
});
await SourceMapConsumer.with({ version: 3, sources: ["a"], names: [], mappings: "A!" }, null, (consumer) => consumer.eachMapping(() => {}))
  .catch((error) => console.log(error.message));

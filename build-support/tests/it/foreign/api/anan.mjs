// @fluffylabs/anan-as, AssemblyScript: an interpreter of PolkaVM programs.
import * as pvm from "@fluffylabs/anan-as";

// Whatever bytes mean.
const bytecode = (length, seed) =>
  Uint8Array.from({ length }, () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 24);
const json = (made) => JSON.stringify(made, (_, value) => (typeof value === "bigint" ? String(value) : value));
for (const [length, seed] of [[3, 1], [40, 7], [200, 99]]) {
  const program = [...pvm.wrapAsProgram(bytecode(length, seed))];
  console.log(pvm.disassemble(program, pvm.InputKind.Generic, pvm.HasMetadata.No));
  console.log(json(pvm.getGasCosts(program, pvm.InputKind.Generic, pvm.HasMetadata.No)));
  const registers = Array.from({ length: 13 }, (_, i) => BigInt(i * 1000));
  const ready = pvm.prepareProgram(pvm.InputKind.Generic, pvm.HasMetadata.No, program, registers, [], [], [], 0);
  console.log(json(pvm.runProgram(ready, 10_000n, 0, false, false, false)));
}

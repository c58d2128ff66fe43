;; A file that wasm-bindgen has still to read keeps its names and lists: nothing is optimised or stripped before it.
;; RUN: optimize %in -o %out
(module
  (@custom "producers" "\00")
  (@custom "target_features" "\00")
  (@custom "__wasm_bindgen_unstable" "keep me")
  (func $named (export "f")))

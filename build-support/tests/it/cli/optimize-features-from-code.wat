;; No target_features section: the features come from the code itself, and only those it uses.
;; RUN: optimize %in -o %out
(module
  (memory (export "memory") 1)
  (func (export "f") (param f64 i32) (result i32)
    (memory.fill (i32.const 0) (i32.const 1) (local.get 1))
    (i32.add (i32.extend8_s (local.get 1)) (i32.trunc_sat_f64_s (local.get 0)))))

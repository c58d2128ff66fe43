;; v0 names, rustc's default from 1.97: found by the structure of the demangled path.
;; RUN: optimize %in -o %out --snip
(module
  (memory (export "memory") 1)
  (func $_RNvNtCs3Ks1mVPDHNs_4core6option13unwrap_failed (param i32)
    (i32.store (i32.const 0) (local.get 0)) (unreachable))
  (func (export "get") (param i32) (result i32)
    (if (i32.eqz (local.get 0))
      (then (call $_RNvNtCs3Ks1mVPDHNs_4core6option13unwrap_failed (i32.const 1024)) (unreachable)))
    (i32.add (local.get 0) (i32.const 1))))

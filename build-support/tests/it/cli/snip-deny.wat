;; The deny list takes what it names, results and all.
;; RUN: optimize %in -o %out --deny app::debug::*
(module
  (func $_ZN3app5debug4dump17h0123456789abcdefE (export "dump") (param i32) (result i32) (local.get 0))
  (func $_ZN3app4main17h0123456789abcdefE (export "main") (param i32) (result i32) (local.get 0)))

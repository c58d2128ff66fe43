;; Why something is there can be said of linked files only.
;; RUN: analyze %in --explain f
(module
  (func (export "f") (result i32) (i32.const 8)))

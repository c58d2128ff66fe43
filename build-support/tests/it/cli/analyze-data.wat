;; Data that no symbol names is told apart by what it looks like, and sections by where they begin.
;; RUN: analyze %in --by section --by item
(module
  (memory 1)
  (data $.rodata (i32.const 8) "\01\02\03a message of the program\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\ff")
  (func (nop)))

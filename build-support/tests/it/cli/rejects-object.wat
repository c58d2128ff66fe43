;; A relocatable object has no exports yet: optimised, nothing would be left of it.
;; RUN: optimize %in -o %out
(module
  (import "env" "__linear_memory" (memory 0))
  (func (param i32) (result i32) (i32.load (local.get 0)))
  (@custom "linking" "\02\08\05\01\00\04\00\04pick"))

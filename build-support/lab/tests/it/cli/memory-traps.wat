;; RUN: memory %in --workload %workload
(module
  (memory (export "memory") 1)
  (func (export "clawft_alloc") (param i32) (result i32) i32.const 6000)
  (func (export "clawft_free") (param i32 i32))
  (func (export "clawft_init") (param i32 i32) (result i32) unreachable))

;; RUN: memory %in --workload %workload --rounds 3
;; Every figure is known: 2 pages, one more in each answer up to the 4 of the maximum, a stack of 4,096 bytes of which
;; 256 are used, 12 + 40 bytes of data of which 38 are zeros in a row.
(module
  (memory (export "memory") 2 4)
  (table 3 funcref)
  (global $sp (mut i32) (i32.const 4096))
  (global (export "__heap_base") i32 (i32.const 5000))
  (elem (i32.const 1) $free)
  (data (i32.const 4096) "{\"ok\": true}")
  (data (i32.const 4200) "a\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00z")
  (func (export "_initialize"))
  (func (export "clawft_alloc") (param i32) (result i32) i32.const 6000)
  (func $free (export "clawft_free") (param i32 i32))
  (func (export "clawft_init") (param i32 i32) (result i32) i32.const 0)
  (func (export "clawft_process_message") (param i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 3840) (i32.const 7))
    (drop (memory.grow (i32.const 1)))
    i32.const 0)
  (func (export "clawft_answer_ptr") (result i32) i32.const 4096)
  (func (export "clawft_answer_len") (result i32) i32.const 12))

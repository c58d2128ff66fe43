;; RUN: startup %in --workload %workload --no-node --samples 1 --cold-samples 1 --process-samples 1
;; A crash is no sample: the answer is there, and the next call traps.
(module
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 0) "{\"ok\": true}")
  (func (export "clawft_alloc") (param i32) (result i32) i32.const 6000)
  (func (export "clawft_free") (param i32 i32))
  (func (export "clawft_init") (param i32 i32) (result i32) i32.const 0)
  (func (export "clawft_process_message") (param i32 i32 i32 i32) (result i32) i32.const 0)
  (func (export "clawft_answer_ptr") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.gt_u (global.get $calls) (i32.const 1)) (then unreachable))
    i32.const 0)
  (func (export "clawft_answer_len") (result i32) i32.const 12))

;; RUN: startup %in --workload %workload --no-node --samples 1 --cold-samples 1 --process-samples 1
;; An answer that is an error of the agent's is no first answer.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "{\"ok\":false}")
  (func (export "clawft_alloc") (param i32) (result i32) i32.const 6000)
  (func (export "clawft_free") (param i32 i32))
  (func (export "clawft_init") (param i32 i32) (result i32) i32.const 0)
  (func (export "clawft_process_message") (param i32 i32 i32 i32) (result i32) i32.const 0)
  (func (export "clawft_answer_ptr") (result i32) i32.const 0)
  (func (export "clawft_answer_len") (result i32) i32.const 12))

;; A component: each module inside it by its own names, and the component's own sections; every table sums to it.
;; RUN: analyze %in
(component
  (core module $a
    (func $_ZN3app3run17h0123456789abcdefE (export "run") (call 1))
    (func $_ZN3app4help17h0123456789abcdefE))
  (core module $b
    (memory 1)
    (data (i32.const 0) "0123456789")
    (func (nop)))
  (core instance $i (instantiate $a))
  (core instance (instantiate $b))
  (func (export "run") (canon lift (core func $i "run"))))

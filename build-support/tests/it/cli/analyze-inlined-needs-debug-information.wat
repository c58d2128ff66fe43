;; Without debug information nothing says where code was written, and the error says how to get it.
;; RUN: analyze %in --inlined
(module (func (nop)))

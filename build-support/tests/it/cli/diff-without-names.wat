;; Where one side has no names nothing compares, and it is said what does.
;; RUN: diff %old %in --code --by crate
(module (func (nop)) (func (nop) (nop)))

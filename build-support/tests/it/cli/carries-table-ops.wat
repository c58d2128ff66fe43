;; Operators on tables and their segments go through Binaryen 116, with the indices as they are afterwards: the unused table and
;; segment are gone. What is called through the table is not known to it.
;; RUN: optimize %in -o %out
(module
  (type $f (func (result i32)))
  (table $unused 4 funcref)
  (table $t 8 funcref)
  (elem $dead func $a $a $a)
  (elem $late func $b $a)
  (elem (table $t) (i32.const 0) func $a $b)
  (func $a (result i32) (i32.const 1))
  (func $b (result i32) (i32.const 2))
  (func $nobody (result i32) (i32.const 3))
  (func (export "init") (table.init $t $late (i32.const 0) (i32.const 0) (i32.const 2)) (elem.drop $late))
  (func (export "copy") (table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 2)))
  (func (export "first") (result i32) (call_indirect $t (type $f) (i32.const 0))))

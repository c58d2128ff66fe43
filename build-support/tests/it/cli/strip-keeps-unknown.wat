;; Sections for tools go, a bindings generator's stays.
;; RUN: optimize %in -o %out
(module
  (@custom "producers" "\00")
  (@custom "target_features" "\00")
  (@custom ".debug_info" "x")
  (@custom "__other_bindgen_section" "keep me")
  (@custom "component-type:app" "keep me too")
  (func $named (export "f")))

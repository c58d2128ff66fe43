;; Instances of one generic item are together: legacy names that differ in their hash, v0 names in their arguments.
;; RUN: analyze %in --by family --by item
(module
  (func $_ZN5alloc3vec16Vec$LT$T$C$A$GT$4push17h0123456789abcdefE (nop))
  (func $_ZN5alloc3vec16Vec$LT$T$C$A$GT$4push17h1111111111111111E (nop) (nop))
  (func $_RINvNtCs3Ks1mVPDHNs_4core3ptr13drop_in_placemEB4_ (nop))
  (func $_RINvNtCs3Ks1mVPDHNs_4core3ptr13drop_in_placehEB4_ (nop) (nop) (nop)))

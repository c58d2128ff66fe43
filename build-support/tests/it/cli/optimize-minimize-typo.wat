;; Only what is measured can be minimised.
;; RUN: optimize %in -o %out --minimize zstd
(module)

;; What is neither WebAssembly nor a report is named.
;; RUN: diff %in %workload
(module)

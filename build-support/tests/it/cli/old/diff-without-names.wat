(module (func $app::a (nop)) (func $app::b (nop)))

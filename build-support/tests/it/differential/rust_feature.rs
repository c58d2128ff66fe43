//! The features of generated Rust programs. Each gives `feature_N`, and `state_N`, which shows what
//! it keeps.

use super::rust_expression::{WORDS, number, risk};
use super::rust_program::Feature;
use crate::generated::random::Random;

/// All of them.
pub const ALL: &[Feature] = &[
    shapes,
    nodes,
    jump,
    callbacks,
    text,
    results,
    arithmetic,
    slices,
    cells,
    tracked,
    shown,
    state,
    recursion,
    collections,
    boxed,
    dropped,
    sorted,
    any,
];

fn function(random: &mut Random, n: usize, items: &str, body: &str, state: &str) -> String {
    let inline = random.pick(&["#[inline(never)]\n", "", ""]);
    format!(
        "mod of_{n} {{\nuse super::*;\n{items}\n{inline}pub fn feature_{n}(a: i32, b: i32) -> i32 {{ {body} }}\npub fn state_{n}() -> i32 {{ {state} }}\n}}\nuse of_{n}::{{feature_{n}, state_{n}}};\n"
    )
}

fn shapes(random: &mut Random, n: usize) -> String {
    let kinds = random.between(2, 5);
    let mut items = String::from(
        "trait Shape: Sync { fn area(&self, a: i32) -> i32; fn name(&self) -> &'static str { \"shape\" } fn grow(&self, b: i32) -> i32 { self.area(b).wrapping_add(1) } }\n",
    );
    let mut list = String::new();
    for kind in 0..kinds {
        let (area, word) = (
            number(random, 2).replace('b', "self.0"),
            random.pick(&WORDS),
        );
        let name = match random.chance(60) {
            true => format!("fn name(&self) -> &'static str {{ \"{word}\" }}"),
            false => String::new(),
        };
        let risk = risk(random, kind);
        let grow = match random.chance(40) {
            true => format!(
                "fn grow(&self, b: i32) -> i32 {{ let a = self.0; {risk} a.wrapping_add(b) }}"
            ),
            false => String::new(),
        };
        items.push_str(&format!(
            "struct S{kind}(i32, &'static str);\nimpl Shape for S{kind} {{ fn area(&self, a: i32) -> i32 {{ {area} }} {name} {grow} }}\nstatic O{kind}: S{kind} = S{kind}({}, \"{word}\");\n",
            random.below(50)
        ));
        list.push_str(&format!("&O{kind}, "));
        if random.chance(30) {
            list.push_str(&format!(
                "&S{kind}({}, \"{}\"), ",
                random.below(9),
                random.pick(&WORDS)
            ));
        }
    }
    items.push_str(&format!("static SHAPES: &[&dyn Shape] = &[{list}];\n"));
    let at = match random.chance(30) {
        true => "(a & 7) as usize",
        false => "a.unsigned_abs() as usize % SHAPES.len()",
    };
    let body = format!(
        "let s = SHAPES[{at}]; let t = s.name(); if b & 1 == 0 {{ s.grow(b).wrapping_add(hash(t.as_bytes())) }} else {{ s.area(b) }}"
    );
    let state = "SHAPES.iter().fold(0, |sum, s| sum ^ hash(s.name().as_bytes()))";
    function(
        random,
        n,
        &items,
        &body,
        if n.is_multiple_of(2) { state } else { "0" },
    )
}

fn nodes(random: &mut Random, n: usize) -> String {
    let count = random.between(3, 7);
    let mut items = String::from(
        "struct Node { value: i32, name: &'static str, next: Option<&'static Node>, kids: &'static [&'static Node], act: Option<fn(i32, i32) -> i32>, pair: (&'static str, &'static i32) }\nstatic ONE: i32 = 1; static MANY: [i32; 5] = [9, 8, 7, 6, 5];\n",
    );
    for at in 0..count {
        let act = number(random, 2);
        items.push_str(&format!(
            "fn act_{at}(a: i32, b: i32) -> i32 {{ {} {act} }}\n",
            if random.chance(40) {
                risk(random, at)
            } else {
                String::new()
            }
        ));
        let link = |random: &mut Random| (at > 0).then(|| random.below(at));
        let next = link(random).map_or("None".to_owned(), |to| format!("Some(&N{to})"));
        let kids: String = (0..random.below(4))
            .filter_map(|_| link(random))
            .map(|to| format!("&N{to}, "))
            .collect();
        let act = if random.chance(60) {
            format!("Some(act_{})", random.below(at + 1))
        } else {
            "None".to_owned()
        };
        items.push_str(&format!(
            "static N{at}: Node = Node {{ value: {}, name: \"{}\", next: {next}, kids: &[{kids}], act: {act}, pair: (\"{}\", {}) }};\n",
            random.below(100), random.pick(&WORDS), random.pick(&WORDS),
            random.pick(&["&ONE", "&MANY[2]", "&MANY[4]"])
        ));
    }
    items.push_str(
        "fn walk(node: &Node, a: i32, b: i32, depth: u32) -> i32 { let mut sum = node.value.wrapping_mul(a) ^ hash(node.name.as_bytes()) ^ *node.pair.1; if let Some(act) = node.act { sum = sum.wrapping_add(act(a, b)); } if depth > 0 { for kid in node.kids { sum = sum.wrapping_mul(5) ^ walk(kid, b, a, depth - 1); } if let Some(next) = node.next { sum ^= walk(next, a, b, depth - 1); } } sum }\n",
    );
    let body = format!(
        "let start = match a & 3 {{ 0 => &N0, 1 => &N{}, _ => &N{} }}; walk(start, a, b, 3)",
        random.below(count),
        count - 1
    );
    function(random, n, &items, &body, "0")
}

fn jump(random: &mut Random, n: usize) -> String {
    let arms = random.between(4, 12);
    let (mut numbers, mut texts) = (String::new(), String::new());
    for arm in 0..arms {
        let act = match random.below(5) {
            0 => format!("{{ {} a }}", risk(random, arm)),
            1 => format!("{{ log({arm}); b }}"),
            _ => number(random, 2),
        };
        numbers.push_str(&format!("{arm} => {act}, "));
        texts.push_str(&format!(
            "{} => \"{}\", ",
            arm * random.between(1, 2) + arm,
            random.pick(&WORDS)
        ));
    }
    let last = match random.below(3) {
        0 => "unreachable!()".to_owned(),
        1 => "panic!(\"no arm for {}\", a)".to_owned(),
        _ => "a".to_owned(),
    };
    let items = format!(
        "fn number(a: i32, b: i32) -> i32 {{ match a & 15 {{ {numbers} _ => {last} }} }}\n#[allow(unreachable_patterns)] fn text(a: i32) -> &'static str {{ match a & 31 {{ {texts} _ => \"other\" }} }}\n"
    );
    function(
        random,
        n,
        &items,
        "number(a, b) ^ hash(text(b).as_bytes()).wrapping_add(text(a).len() as i32)",
        "hash(text(3).as_bytes())",
    )
}

fn callbacks(random: &mut Random, n: usize) -> String {
    let count = random.between(2, 8);
    let (mut items, mut list, mut outer) = (String::new(), String::new(), String::new());
    for at in 0..count {
        let (body, risk) = (
            number(random, 2),
            if random.chance(30) {
                risk(random, at)
            } else {
                String::new()
            },
        );
        items.push_str(&format!("fn f{at}(a: i32, b: i32) -> i32 {{ {risk} {body} }}\nextern \"C\" fn e{at}(a: i32) -> i32 {{ a.wrapping_sub({at}) }}\n"));
        list.push_str(&format!("f{}, ", random.below(at + 1)));
        outer.push_str(&format!("e{at}, "));
    }
    items.push_str(&format!(
        "static FS: [fn(i32, i32) -> i32; {count}] = [{list}];\nstatic ES: &[extern \"C\" fn(i32) -> i32] = &[{outer}];\n#[inline(never)] fn apply(f: extern \"C\" fn(i32) -> i32, times: usize, a: i32) -> i32 {{ (0..times).fold(a, |a, _| f(a)) }}\nfn pick(a: i32) -> impl Fn(i32) -> i32 {{ move |b| b ^ a }}\n"
    ));
    let body = match random.below(3) {
        0 => "FS[(a & 15) as usize](a, b)".to_owned(),
        1 => format!(
            "let f = FS.get(b as usize).copied().unwrap_or(f0); f(a, b) ^ apply(ES[a.unsigned_abs() as usize % {count}], 3, b)"
        ),
        _ => format!(
            "let same = FS[0] as usize == FS[{}] as usize; apply(ES[(a as u32 % {}) as usize], 2, b) ^ i32::from(same) ^ pick(a)(b)",
            count - 1,
            count + 1
        ),
    };
    function(random, n, &items, &body, "FS.len() as i32")
}

fn text(random: &mut Random, n: usize) -> String {
    let list: String = (0..random.between(3, 8))
        .map(|_| format!("\"{}\", ", random.pick(&WORDS)))
        .collect();
    let items = format!(
        "static TEXTS: &[&str] = &[{list}];\nconst LONG: &str = \"caf\u{e9} au lait, {}\";\n",
        random.pick(&WORDS)
    );
    let body = match random.below(5) {
        0 => "let t = &LONG[(a & 15) as usize..]; hash(t.as_bytes())".to_owned(),
        1 => "let t = &LONG[(a & 7) as usize..(b & 15) as usize]; t.chars().map(|c| c as i32).sum()".to_owned(),
        2 => format!("let t = TEXTS[a as usize % (TEXTS.len() + {})]; t.len() as i32 ^ LONG.find(t).map_or(-1, |at| at as i32)", random.below(2)),
        3 => "let t = if a & 3 == 0 { \"12x\" } else { \"-41\" }; t.parse::<i32>().unwrap() ^ i32::from(TEXTS.contains(&LONG))".to_owned(),
        _ => "let c = char::from_u32((a & 0xFFFFF) as u32).unwrap(); let mut to = [0; 4]; hash(c.encode_utf8(&mut to).as_bytes()) ^ i32::from(c.is_alphabetic())".to_owned(),
    };
    function(
        random,
        n,
        &items,
        &body,
        "TEXTS.iter().fold(0, |sum, t| sum ^ hash(t.as_bytes()))",
    )
}

fn results(random: &mut Random, n: usize) -> String {
    let (one, two) = (risk(random, n), risk(random, n + 1));
    let items = "fn deep(a: i32, b: i32) -> Result<i32, Fault> { let x = checked(a)?; let y = checked(b)?; if x == y { return Err(Fault::Large { by: 1, of: \"pair\" }) } Ok(x ^ y) }\n";
    let end = match random.below(4) {
        0 => "deep(a, b).unwrap()",
        1 => {
            "deep(a, b).unwrap_or_else(|fault| { let mut t = Buffer::new(); let _ = write!(t, \"{fault}\"); t.hash() })"
        }
        2 => "match deep(a, b) { Ok(v) => v, Err(Fault::Odd) => -1, Err(f) => panic!(\"{f:?}\") }",
        _ => "deep(a, b).ok().expect(\"deep\")",
    };
    function(random, n, items, &format!("{one} {two} {end}"), "0")
}

fn arithmetic(random: &mut Random, n: usize) -> String {
    let (one, two) = (number(random, 3), number(random, 3));
    let end = match random.below(5) {
        0 => "(x as u32).checked_mul(3).map_or(y, |v| v as i32)",
        1 => "x % y",
        2 => "u8::try_from(x & 511).unwrap() as i32 ^ y",
        3 => "x.checked_div(y).expect(\"divides\")",
        _ => "((x as i64) << (y & 63)) as i32 ^ x.pow((y & 3) as u32)",
    };
    function(
        random,
        n,
        "",
        &format!("let x = {one}; let y = {two}; {end}"),
        "0",
    )
}

fn slices(random: &mut Random, n: usize) -> String {
    let size = random.between(4, 20);
    let values: String = (0..size)
        .map(|_| format!("{}, ", random.below(1000)))
        .collect();
    let items = format!(
        "static TABLE: [u16; {size}] = [{values}];\nstatic OTHER: &[&[u16]] = &[&TABLE, &[1, 2, 3], &[]];\n"
    );
    let body = match random.below(6) {
        0 => format!("i32::from(TABLE[a as usize & {}])", random.between(3, 31)),
        1 => "let s = OTHER[(a & 3) as usize]; s.iter().map(|v| i32::from(*v)).sum::<i32>() ^ b".to_owned(),
        2 => "let (x, y) = TABLE.split_at((a & 15) as usize); x.len() as i32 ^ i32::from(y.first().copied().unwrap_or(7))".to_owned(),
        3 => "let mut to = [0u16; 4]; to.copy_from_slice(&TABLE[..(b & 7).clamp(3, 4) as usize]); i32::from(to[(a & 3) as usize])".to_owned(),
        4 => "let x: [u16; 2] = TABLE[(a & 3) as usize..(b & 7) as usize].try_into().unwrap(); i32::from(x[0] ^ x[1])".to_owned(),
        _ => "TABLE.chunks((b & 3) as usize).map(|c| i32::from(c[0]) * a).fold(0, |s, v| s ^ v)".to_owned(),
    };
    function(random, n, &items, &body, "i32::from(OTHER[0][1])")
}

fn cells(random: &mut Random, n: usize) -> String {
    let items = format!(
        "static CELL: Single<RefCell<[i32; 6]>> = Single(RefCell::new([{}; 6]));\nstatic SEEN: Single<Cell<i32>> = Single(Cell::new(3));\n",
        random.below(20)
    );
    let body = match random.below(3) {
        0 => {
            "let held = CELL.0.borrow(); if a & 15 == 5 { CELL.0.borrow_mut()[0] = 1; } held[(b & 7) as usize % 6]"
        }
        1 => {
            "let mut held = CELL.0.borrow_mut(); held[(a & 7) as usize] ^= b; SEEN.0.set(SEEN.0.get().wrapping_add(a)); if b == 7 { return CELL.0.borrow()[1]; } held[0]"
        }
        _ => {
            "if let Ok(mut held) = CELL.0.try_borrow_mut() { held.rotate_left((a & 7) as usize); } SEEN.0.replace(b)"
        }
    };
    function(
        random,
        n,
        &items,
        body,
        "CELL.0.borrow().iter().fold(SEEN.0.get(), |sum, v| sum.wrapping_mul(7) ^ v)",
    )
}

fn tracked(random: &mut Random, n: usize) -> String {
    let items = "#[track_caller] #[inline(never)] fn here(a: i32) -> i32 { let at = core::panic::Location::caller(); if a == 5 { panic!(\"five\") } hash(at.file().as_bytes()) ^ at.line() as i32 ^ a }\n#[track_caller] fn need(v: Option<i32>) -> i32 { v.unwrap() }\n";
    let body = match random.below(3) {
        0 => "here(a) ^ here(b)",
        1 => "need((a != 4).then_some(b)) ^ need(Some(a))",
        _ => "let f: fn(i32) -> i32 = here; f(a) ^ need(Some(b).filter(|b| *b != 6))",
    };
    function(random, n, items, body, "0")
}

fn shown(random: &mut Random, n: usize) -> String {
    let word = random.pick(&WORDS);
    let what = match random.below(7) {
        0 => format!("write!(t, \"{word} {{}} {{:x}} {{:>6}}\", a, b, a ^ b)"),
        1 => "write!(t, \"{:?} {:#?}\", checked(a), Fault::Large { by: b as u32, of: \"x\" })"
            .to_owned(),
        2 => format!("write!(t, \"{{:?}}{{}}\", \"{word}\", a as u64 * 7)"),
        3 => "write!(t, \"{:08b}|{:+}|{:<5}|{:^7}\", a as u8, b, a as i8, (b & 1) == 0)".to_owned(),
        4 => "write!(t, \"{:?}\", (a, Some(b), [a as u8; 3]))".to_owned(),
        5 => "write!(t, \"{}\", format!(\"{a}-{b}\").len())".to_owned(),
        _ => "write!(t, \"{:.2}\", f64::from(a) / 8.0)".to_owned(),
    };
    function(
        random,
        n,
        "",
        &format!("let mut t = Buffer::new(); {what}.unwrap(); t.hash()"),
        "0",
    )
}

fn state(random: &mut Random, n: usize) -> String {
    let items = format!(
        "static COUNT: AtomicI32 = AtomicI32::new({});\nstatic mut LAST: [i32; 4] = [{}, 0, 0, 1];\nstatic mut WHO: Option<&'static str> = None;\nstatic mut DO: fn(i32) -> i32 = first;\nfn first(a: i32) -> i32 {{ a + 1 }}\nfn second(a: i32) -> i32 {{ a ^ 0x55 }}\n",
        random.below(9),
        random.below(9)
    );
    let risk = if random.chance(40) {
        risk(random, n)
    } else {
        String::new()
    };
    let body = format!(
        "{risk} COUNT.fetch_add(a, SeqCst); unsafe {{ let last = &mut *(&raw mut LAST); last[(b & {}) as usize] = a; if a > b {{ WHO = Some(\"{}\"); DO = second; }} DO(last[0]) }}",
        random.pick(&[3, 3, 7]),
        random.pick(&WORDS)
    );
    function(
        random,
        n,
        &items,
        &body,
        "unsafe { let last = *(&raw const LAST); let who = *(&raw const WHO); COUNT.load(SeqCst) ^ last[1] ^ last[2] ^ who.map_or(0, |w| hash(w.as_bytes())) }",
    )
}

fn recursion(random: &mut Random, n: usize) -> String {
    let (risk, step) = (risk(random, n), random.between(1, 3));
    let items = format!(
        "fn down(a: i32, b: i32, depth: i32) -> i32 {{ {risk} if depth <= 0 {{ return a }} if a & 1 == 0 {{ down(a.wrapping_add(b), b ^ 1, depth - {step}) }} else {{ up(b, a.wrapping_sub(1), depth - 1) }} }}\nfn up(a: i32, b: i32, depth: i32) -> i32 {{ if depth <= 0 {{ return b }} down(b, a, depth - 1).wrapping_mul(3) }}\n"
    );
    function(random, n, &items, "down(a, b, b & 31)", "0")
}

fn collections(random: &mut Random, n: usize) -> String {
    let body = match random.below(6) {
        0 => "let mut v: Vec<i32> = (0..(a & 15)).collect(); v.push(b); v[(b & 15) as usize]",
        1 => {
            "let mut v = vec![1, 2, 3]; v.insert((a & 3) as usize, b); v.remove((b & 3) as usize) ^ v.len() as i32"
        }
        2 => {
            "let mut m = BTreeMap::new(); for i in 0..(a & 15) { m.insert(i ^ b, i); } m.iter().fold(m.len() as i32, |s, (k, v)| s.wrapping_mul(3) ^ k ^ v)"
        }
        3 => {
            "let mut s = String::new(); for i in 0..(a & 7) { s.push_str(&i.to_string()); } s.insert(0, 'x'); s.truncate((b & 7) as usize); hash(s.as_bytes())"
        }
        4 => {
            "let v: Vec<u8> = Vec::with_capacity(if a & 63 == 9 { usize::MAX } else { 8 }); v.capacity() as i32 ^ b"
        }
        _ => {
            "let v: Vec<u64> = vec![1; if b & 63 == 11 { 1 << 20 } else { 4 }]; v.iter().sum::<u64>() as i32 ^ a"
        }
    };
    function(random, n, "", body, "NEXT.load(SeqCst) as i32")
}

fn boxed(random: &mut Random, n: usize) -> String {
    let (one, two) = (number(random, 2), number(random, 2));
    let items = format!(
        "type Step = Box<dyn Fn(i32) -> i32>;\nfn steps(a: i32) -> Vec<Step> {{ let mut v: Vec<Step> = Vec::new(); v.push(Box::new(move |b| {one})); v.push(Box::new(move |b| {two})); if a & 1 == 0 {{ v.push(Box::new(|b| b + 1)); }} v }}\n"
    );
    let body = match random.below(2) {
        0 => "steps(a).iter().fold(b, |b, step| step(b))",
        _ => {
            "let v = Rc::new(RefCell::new(steps(a))); let w = v.clone(); let held = v.borrow(); if b == 3 { w.borrow_mut().clear(); } held[(b & 3) as usize](a)"
        }
    };
    function(random, n, &items, body, "0")
}

fn dropped(random: &mut Random, n: usize) -> String {
    let risk = risk(random, n);
    function(
        random,
        n,
        "",
        &format!(
            "let _one = Noisy(a); {risk} let two = Noisy(b); if a == b {{ drop(two); return 1 }} let _list = [Noisy(1), Noisy(2)]; a ^ b"
        ),
        "0",
    )
}

fn sorted(random: &mut Random, n: usize) -> String {
    let body = match random.below(3) {
        0 => "let mut v = [a, b, 3, a ^ b, 9]; v.sort_unstable(); v[2].wrapping_mul(v[0])",
        1 => {
            "let mut v = vec![(a, \"a\"), (b, \"b\"), (3, \"c\")]; v.sort_by_key(|e| e.0); hash(v[1].1.as_bytes())"
        }
        _ => {
            "let v = [1, 4, 9, 16, 25]; match v.binary_search(&a) { Ok(at) => at as i32, Err(at) => v[at] }"
        }
    };
    function(random, n, "", body, "0")
}

fn any(random: &mut Random, n: usize) -> String {
    let items = "use core::any::Any;\nstatic THINGS: &[&(dyn Any + Send + Sync)] = &[&3i32, &\"text\", &Fault::Odd, &4u8];\n";
    let body = match random.below(2) {
        0 => {
            "let t = THINGS[(a & 3) as usize]; t.downcast_ref::<i32>().copied().unwrap_or(b) ^ i32::from(t.is::<Fault>())"
        }
        _ => {
            "let t = THINGS[(b & 7) as usize]; hash(t.downcast_ref::<&str>().expect(\"a text\").as_bytes())"
        }
    };
    function(random, n, items, body, "THINGS.len() as i32")
}

//! The rows: of each what is looked for, where, and what the plan says of it.

use super::case::{Case, SERVICE_WORKER};
use crate::ops::bundle::manifest::OPS;
use crate::report::bundle::Cell;
use crate::report::units;

/// How many digits of a digest are shown.
const DIGITS: usize = 16;

/// Fills in a cell.
type Look = fn(&Case<'_>) -> Cell;

/// The rows by name, in their order.
pub const ROWS: [(&str, Look); 11] = [
    ("Tail-call dispatch", tail_calls),
    ("JIT, hot threshold", jit),
    ("Flat arena", arena),
    ("Host fetch and the registry", registry),
    ("Cooperative threading", threading),
    ("V8 snapshot blob", blob),
    ("LLRT bytecode precompile", precompile),
    ("Ready-state snapshot", ready_state),
    ("OPFS persistence", persistence),
    ("Cross-device sync", sync),
    ("Light tab first", light_first),
];

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn on(is: bool) -> String {
    if is { "on" } else { "off" }.to_owned()
}

/// What was found, or why not, with whether it was.
fn either(found: Result<String, String>) -> (bool, String) {
    match found {
        Ok(evidence) => (true, evidence),
        Err(evidence) => (false, evidence),
    }
}

/// What is said where the module is missing.
fn no_module(case: &Case<'_>) -> String {
    format!("{} is not there", case.example.module.path)
}

fn tail_calls(case: &Case<'_>) -> Cell {
    let Some(module) = case.module else {
        return missing(case);
    };
    let is = module.tail_calls > 0;
    Cell {
        built: yes(is),
        bundle: yes(is),
        evidence: format!(
            "{} return_call in {}, in {} functions",
            module.tail_calls, module.name, module.functions
        ),
        ..Cell::default()
    }
}

fn missing(case: &Case<'_>) -> Cell {
    Cell {
        built: yes(false),
        bundle: yes(false),
        evidence: no_module(case),
        claimed: true,
        found: false,
    }
}

/// The ways to have a module compiled.
const COMPILERS: [&str; 4] = [
    "compileStreaming",
    "instantiateStreaming",
    "WebAssembly.compile",
    "WebAssembly.instantiate",
];

fn jit(case: &Case<'_>) -> Cell {
    let options = &case.example.optimizations;
    let place = COMPILERS.iter().find_map(|word| {
        let place = case.scripts.place(word)?;
        Some(format!("{word} in {place}"))
    });
    let found = place.is_some();
    let reads = match case.scripts.place("jitHotThreshold") {
        Some(place) => format!("the threshold is read in {place}"),
        None => "the threshold is for native hosts".to_owned(),
    };
    let place = place.unwrap_or_else(|| "no script has a module compiled".to_owned());
    Cell {
        built: if found { "the engine's tiers" } else { "no" }.to_owned(),
        bundle: match (options.jit, options.jit_hot_threshold) {
            (true, Some(messages)) => format!("on, hot after {messages}"),
            (is, _) => on(is),
        },
        evidence: format!("{place}; {reads}"),
        claimed: options.jit,
        found,
    }
}

fn arena(case: &Case<'_>) -> Cell {
    let Some(module) = case.module else {
        return missing(case);
    };
    let [memory] = module.memories.as_slice() else {
        return Cell {
            built: yes(false),
            bundle: yes(false),
            evidence: format!("{} memories in {}", module.memories.len(), module.name),
            claimed: case.example.optimizations.memory_maximum.is_some(),
            found: false,
        };
    };
    let claim = case.example.optimizations.memory_maximum;
    let most = module.most_bytes();
    let is_flat = !memory.shared && !memory.wide;
    let (share, wide) = (
        if memory.shared { "shared" } else { "unshared" },
        if memory.wide { 64 } else { 32 },
    );
    let least = memory.least;
    let limits = match memory.most {
        Some(most) => format!("{least} to {most} pages"),
        None => format!("{least} pages and no maximum"),
    };
    Cell {
        built: yes(is_flat),
        bundle: match most {
            Some(bytes) => format!("at most {}", units::human(bytes)),
            None => "no maximum".to_owned(),
        },
        evidence: format!(
            "1 {share} memory of {wide} bits, {limits}; {} memory.grow in {}",
            module.grows, module.name
        ),
        claimed: claim.is_some(),
        found: is_flat && claim == most,
    }
}

fn registry(case: &Case<'_>) -> Cell {
    let example = case.example;
    let own = example.hostcalls.iter();
    let own = own.map(|call| (call.op, call.name.as_str()));
    let ours = OPS
        .iter()
        .filter(|op| example.hypercalls.iter().any(|name| name == op.name));
    let granted: Vec<_> = ours
        .map(|op| (u64::from(op.number), op.name))
        .chain(own)
        .collect();
    let (driven, steps) = either(steps(case));
    let names: Vec<_> = granted.iter().map(|(_, name)| *name).collect();
    let (seen, places) = either(case.scripts.all(&names));
    let known = OPS
        .iter()
        .filter(|op| case.scripts.place(op.name).is_some());
    let known = known.count();
    let shown = granted.iter().map(|(op, name)| format!("{op} {name}"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let places = if places.is_empty() {
        "none granted"
    } else {
        &places
    };
    Cell {
        built: yes(driven && known > 0),
        bundle: if granted.is_empty() { on(false) } else { shown },
        evidence: format!("{known} of {} in the scripts: {places}; {steps}", OPS.len()),
        claimed: !granted.is_empty(),
        found: driven && seen,
    }
}

/// Where the exports are that a turn is driven by.
fn steps(case: &Case<'_>) -> Result<String, String> {
    let steps = &case.about.steps;
    let Some(module) = case.module else {
        return Err(no_module(case));
    };
    if steps.is_empty() {
        return Err("the package names no exports that a turn is driven by".to_owned());
    }
    match module.lacks(steps).as_slice() {
        [] => Ok(format!("{} exports {}", module.name, steps.join(", "))),
        lacks => Err(format!(
            "{} does not export {}",
            module.name,
            lacks.join(", ")
        )),
    }
}

fn threading(case: &Case<'_>) -> Cell {
    let tasks = case.example.optimizations.tasks;
    let (found, evidence) = either(steps(case));
    Cell {
        built: yes(found),
        bundle: match tasks {
            1 => "1 turn at a time".to_owned(),
            tasks => format!("{tasks} turns in flight"),
        },
        evidence,
        claimed: tasks > 1,
        found,
    }
}

/// Whether the module is one that was configured when the bundle was made, and how that is seen.
fn configured(case: &Case<'_>) -> Result<String, String> {
    let (Some(module), Some(plain)) = (case.module, case.plain) else {
        return Err(no_module(case));
    };
    let short = &module.sha256[..DIGITS];
    if module.sha256 == plain.sha256 {
        return Err(format!("{} is the plain module, {short}", module.name));
    }
    if module.sha256 != case.example.module.sha256 {
        return Err(format!("{} is another, {short}", module.name));
    }
    if module.exports.contains("_initialize") {
        return Err(format!(
            "{} is still to be initialised, {short}",
            module.name
        ));
    }
    let lacks = module.lacks(std::slice::from_ref(&case.about.init));
    if !lacks.is_empty() {
        return Err(format!(
            "{} does not export {}",
            module.name,
            lacks.join("")
        ));
    }
    let (is, was) = (units::bytes(module.data), units::bytes(plain.data));
    Ok(format!(
        "{} {short}, {is} bytes of data, {was} before",
        module.name
    ))
}

fn blob(case: &Case<'_>) -> Cell {
    let is_asked = case.example.optimizations.preinit;
    let (state, state_evidence) = either(configured(case));
    let (scripts, place) = either(case.root.all(&["install", "caches"]));
    Cell {
        built: match (state, scripts) {
            (true, true) => "state and scripts",
            (true, false) => "state",
            (false, true) => "scripts",
            (false, false) => "no",
        }
        .to_owned(),
        bundle: if is_asked { "state" } else { "off" }.to_owned(),
        evidence: format!("{state_evidence}; {SERVICE_WORKER}: {place}"),
        claimed: is_asked,
        found: state,
    }
}

fn precompile(case: &Case<'_>) -> Cell {
    let (found, evidence) = either(case.scripts.all(&["compileStreaming"]));
    Cell {
        built: if found {
            "the engine's code cache"
        } else {
            "no"
        }
        .to_owned(),
        bundle: yes(found),
        evidence,
        ..Cell::default()
    }
}

fn ready_state(case: &Case<'_>) -> Cell {
    let options = &case.example.optimizations;
    let (ready, ready_evidence) = either(configured(case));
    let (image, image_evidence) = either(image(case));
    let mut asked = Vec::new();
    asked.extend(options.preinit.then_some("configured"));
    asked.extend(options.snapshot.then_some("an image at each call"));
    Cell {
        built: match (ready, image) {
            (true, true) => "configured, images",
            (true, false) => "configured",
            (false, true) => "images",
            (false, false) => "no",
        }
        .to_owned(),
        bundle: if asked.is_empty() {
            on(false)
        } else {
            asked.join(", ")
        },
        evidence: format!("{ready_evidence}; {image_evidence}"),
        claimed: options.preinit || options.snapshot,
        found: (ready || !options.preinit) && (image || !options.snapshot),
    }
}

/// Whether a running agent can be kept, and how that is seen.
fn image(case: &Case<'_>) -> Result<String, String> {
    let Some(module) = case.module else {
        return Err(no_module(case));
    };
    if let Some(why) = module.not_restorable() {
        return Err(format!("no image: {why}"));
    }
    let place = case.scripts.all(&["host_snapshot"])?;
    Ok(format!("all state in memory; {place}"))
}

fn persistence(case: &Case<'_>) -> Cell {
    let options = &case.example.optimizations;
    let words = ["getDirectory", "createSyncAccessHandle"];
    let (found, evidence) = either(case.scripts.all(&words));
    Cell {
        built: yes(found),
        bundle: match (options.persistence, options.auto_save_interval) {
            (true, Some(millis)) => format!("on, every {} ms", units::bytes(millis)),
            (is, _) => on(is),
        },
        evidence,
        claimed: options.persistence,
        found,
    }
}

fn sync(case: &Case<'_>) -> Cell {
    let options = &case.example.optimizations;
    let (found, evidence) = either(case.scripts.all(&["sync/v1", "AES-GCM"]));
    Cell {
        built: yes(found),
        bundle: on(options.sync),
        evidence,
        claimed: options.sync,
        found,
    }
}

fn light_first(case: &Case<'_>) -> Cell {
    let first = case.first;
    let [raw, brotli] = [first.sizes.raw, first.sizes.brotli].map(units::bytes);
    Cell {
        built: format!("{brotli} bytes"),
        bundle: if case.is_default { "first" } else { "later" }.to_owned(),
        evidence: format!(
            "{} files before the first answer, {raw} bytes, {brotli} with brotli",
            first.files.len()
        ),
        ..Cell::default()
    }
}

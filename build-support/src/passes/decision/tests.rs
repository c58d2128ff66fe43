use super::{Candidate, Road, run};
use crate::analyze::plan::{Snip, SweepPlan};
use crate::error::Error;
use crate::passes::{Job, pipeline};
use crate::report::{Metric, Size};
use crate::wasm::artifact::Artifact;
use std::path::Path;

const FILE: &str = "app.wasm";

fn artifact(wat: &str) -> Artifact {
    Artifact::new(wat::parse_str(wat).unwrap(), Path::new(FILE)).unwrap()
}

/// A module of as many bytes of data, all different or all the same.
fn module(bytes: usize, different: bool) -> String {
    let mut state = 1_u32;
    let data = (0..bytes).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let letter = if different { state >> 28 } else { 0 };
        char::from(b'a' + letter as u8)
    });
    format!("(module (data \"{}\"))", data.collect::<String>())
}

/// A plan that takes something.
fn snips() -> SweepPlan {
    SweepPlan {
        snip: vec![Snip {
            index: 0,
            function: "f".to_owned(),
            family: "core::panicking",
            bytes: 1,
        }],
        ..SweepPlan::default()
    }
}

/// What is kept where each road gives that file, or fails: the roads taken, the road of each
/// module, and the line.
fn decide(
    metric: Metric,
    linked: &str,
    whole: &str,
    others: &[(Road, Option<String>)],
) -> (Vec<Road>, Vec<Road>, String) {
    let linked = artifact(linked);
    let count = linked.module_ranges().len();
    let job = Job {
        metric,
        ..Job::new(Path::new(FILE), vec![snips(); count])
    };
    let candidate = |wat: &str, road| Candidate {
        roads: vec![road; count],
        ..Candidate::of(artifact(wat), road)
    };
    let mut taken = Vec::new();
    let mut travel = |road| {
        taken.push(road);
        let made = others.iter().find(|(of, _)| *of == road);
        let made = made.and_then(|(_, wat)| wat.as_ref());
        made.map(|wat| candidate(wat, road))
            .ok_or_else(|| Error::pass("test", "no way"))
    };
    let (kept, note) = run(&job, &linked, candidate(whole, Road::WHOLE), &mut travel).unwrap();
    (taken, kept.roads, note)
}

/// Protects whoever is given a file: the smallest is kept, and of equals the one that all passes
/// made.
#[test]
fn the_smallest_is_kept() {
    let kept = |whole: usize, alone: usize, reduced: usize| {
        let others = [
            (Road::ALONE, Some(module(alone, true))),
            (Road::REDUCED, Some(module(reduced, true))),
            (Road::INPUT, Some(module(1_000, true))),
        ];
        let linked = module(1_000, true);
        let (taken, roads, note) =
            decide(Metric::default(), &linked, &module(whole, true), &others);
        assert_eq!(taken.last(), Some(&Road::INPUT));
        (roads[0], note)
    };
    let (road, note) = kept(990, 990, 990);
    assert_eq!((road, note.as_str()), (Road::WHOLE, "kept: the whole road"));
    let (road, note) = kept(980, 960, 990);
    let expected = "kept: without sweep and snip, 20 bytes of raw less";
    assert_eq!((road, note.as_str()), (Road::ALONE, expected));
    assert_eq!(kept(980, 985, 970).0, Road::REDUCED);
    let (road, note) = kept(1_010, 1_002, 1_001);
    let expected = "kept: the input, only stripped, 10 bytes of raw less";
    assert_eq!((road, note.as_str()), (Road::INPUT, expected));
}

/// Protects the limits: what is smaller raw and larger in a codec that is limited is not kept, nor
/// what is smaller in a codec and larger raw.
#[test]
fn no_size_that_counts_grows() {
    let kept = |minimize, limited: &[Size], whole: &str| {
        let others = [(Road::INPUT, Some(module(1_000, false)))];
        let metric = Metric::new(minimize, limited.iter().copied());
        let (_, roads, note) = decide(metric, &module(1_000, false), whole, &others);
        (roads[0], note)
    };
    let incompressible = module(900, true);
    assert_eq!(kept(Size::Raw, &[], &incompressible).0, Road::WHOLE);
    let (road, note) = kept(Size::Raw, &[Size::Gzip], &incompressible);
    let expected = "kept: the input, only stripped; all passes would make gzip larger";
    assert_eq!((road, note.as_str()), (Road::INPUT, expected));
    assert_eq!(kept(Size::Brotli, &[], &incompressible).0, Road::INPUT);
    assert_eq!(kept(Size::Gzip, &[], &module(1_001, false)).0, Road::INPUT);
}

/// Protects components: each module comes from the road that makes it smallest.
#[test]
fn a_component_is_put_together_from_the_best_of_its_modules() {
    let component = |sizes: [usize; 2]| {
        let modules = sizes.map(|size| module(size, true).replacen("(module", "(core module", 1));
        format!("(component {})", modules.concat())
    };
    let others = [
        (Road::ALONE, Some(component([900, 700]))),
        (Road::INPUT, Some(component([1_000, 1_000]))),
    ];
    let whole = component([800, 790]);
    let linked = component([1_000, 1_000]);
    let (_, roads, note) = decide(Metric::default(), &linked, &whole, &others);
    assert_eq!(roads, [Road::WHOLE, Road::ALONE]);
    assert_eq!(note, "kept: module by module, 90 bytes of raw less");
}

/// Protects the time: where sweep and snip took a lot, wasm-opt is not run without them.
#[test]
fn what_cannot_win_is_not_tried() {
    let linked = artifact(&module(1_000, true));
    let roads = |bytes| {
        let mut plan = snips();
        plan.snip[0].bytes = bytes;
        super::others(&Job::new(Path::new(FILE), vec![plan]), &linked)
    };
    assert_eq!(roads(0), [Road::INPUT]);
    assert_eq!(roads(49), [Road::ALONE, Road::REDUCED, Road::INPUT]);
    assert_eq!(roads(60), [Road::REDUCED, Road::INPUT]);
}

/// Protects the proof that poison is: a file that shows wrong sweeps competes with none.
#[test]
fn poison_is_always_kept() {
    let file = Path::new(FILE);
    let job = Job {
        poison: true,
        ..Job::new(file, vec![snips()])
    };
    let poisoned = Candidate::of(artifact(&module(2_000, true)), Road::WHOLE);
    let linked = artifact("(module)");
    let mut never = |_| panic!("it competes");
    let (kept, _) = run(&job, &linked, poisoned, &mut never).unwrap();
    assert_eq!(kept.roads, [Road::WHOLE]);
}

/// Protects the names of what wasm-opt has not touched, and what the report says was done.
#[test]
fn a_kept_input_has_its_names_and_no_plan() {
    // wasm-opt has nothing to take, and what walrus writes is no smaller.
    let wat = r#"(module (func $app::run (export "go") (result i32) (i32.const 7)))"#;
    let job = Job::new(Path::new(FILE), vec![SweepPlan::default()]);
    let product = pipeline::run(&job, artifact(wat), &mut |_| {}).unwrap();
    assert_eq!(product.names[0].functions, [Some("app::run".to_owned())]);
    let decided = product.stages.last().unwrap();
    assert_eq!(decided.name, "decide");
    assert_eq!(product.carried_out(job.plans).len(), 1);
}

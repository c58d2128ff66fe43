//! The page in a real browser: what it shows is what the attribution says, by mouse and by
//! keyboard, in light and in dark, drawn as large as it is; and no name gets out of its place.

mod pages;

use build_support::attribution::Attribution;
use build_support::attribution::groups::{self, Grouping};
use build_support::attribution::inlined::{Inlined, Part};
use build_support::output::markdown;
use build_support::report::units;
use pages::{NASTY, attribution, drive, program, view};
use serde_json::Value;

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(text).collect()
}

/// `a::b: 1,234 bytes, 5.6% of the file`.
fn says(name: &str, bytes: u64, whole: &Attribution) -> String {
    let share = format!("{:.1}%", bytes as f64 * 100.0 / whole.bytes as f64);
    format!("{name}: {}, {share} of the file", units::counted(bytes))
}

/// Protects the promise of the page: into a crate by mouse, on by keyboard, and each figure on the
/// way is the attribution's; the groups sum to the file.
#[test]
fn figures_are_the_attributions_by_mouse_and_keyboard() {
    let all = attribution(&program());
    let seen = &drive(&[view(all.clone(), None)], "use")[0];

    assert!(
        text(&seen["status"]).starts_with(&says("the whole file", all.bytes, &all)),
        "{seen}"
    );
    let crates = groups::run(&all, Grouping::Crate);
    let shown: Vec<&str> = seen["whole"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| text(&cell["says"]))
        .collect();
    for krate in crates.iter().take(4) {
        let said = says(&krate.name, krate.bytes, &all);
        assert!(
            shown.iter().any(|shown| shown.starts_with(&said)),
            "{said} is not among {shown:#?}"
        );
    }

    let krate = &seen["crate"];
    let clicked = text(&krate["says"]).split_once(": ").unwrap().0;
    let found = crates.iter().find(|group| group.name == clicked).unwrap();
    let bytes = units::counted(found.bytes);
    assert_eq!(clicked, "engine", "the largest");
    assert_eq!(
        text(&krate["path"]),
        format!("whole file\n{clicked} {bytes}")
    );
    assert!(
        text(&krate["status"]).contains(&says(clicked, found.bytes, &all)),
        "{krate}"
    );
    assert_eq!(texts(&krate["foot"])[1], units::bytes(found.bytes));
    let modules = groups::run(&all, Grouping::Module);
    for cell in krate["cells"].as_array().unwrap() {
        let (name, rest) = text(&cell["says"]).split_once(": ").unwrap();
        let module = modules.iter().find(|group| group.name == name).unwrap();
        assert!(rest.starts_with(&units::counted(module.bytes)), "{cell}");
    }

    for (name, by) in [
        ("crates", Grouping::Crate),
        ("modules", Grouping::Module),
        ("families", Grouping::Family),
        ("items", Grouping::Item),
        ("sections", Grouping::Section),
    ] {
        let expected = groups::run(&all, by);
        let table = &seen["groupings"][name];
        let rows = table["rows"].as_array().unwrap();
        assert_eq!(rows.len(), expected.len(), "{name}");
        for (row, group) in rows.iter().zip(&expected) {
            assert_eq!(texts(row)[1], units::bytes(group.bytes), "{name}");
        }
        assert_eq!(
            texts(&table["foot"])[1],
            units::bytes(all.bytes),
            "{name} sum to the file"
        );
    }
}

/// Protects those who have no mouse: arrows move, Enter goes in, Escape and Backspace go out to
/// where one was, and the tab key passes the map in one step.
#[test]
fn the_keyboard_is_enough() {
    let all = attribution(&program());
    let seen = &drive(&[view(all.clone(), None), view(all, None)], "keys")[0];
    let keys = seen["keys"].as_array().unwrap();
    let focus = |i: usize| {
        text(&keys[i]["focus"])
            .split_once(": ")
            .map_or("", |(name, _)| name)
    };
    for step in keys {
        assert_eq!(
            step["stops"], 1,
            "one rectangle is in the order of the tab key: {step}"
        );
        assert_eq!(
            text(&step["ring"]),
            "3px",
            "the focus is to be seen: {step}"
        );
    }
    // Home, right, left: back where it was; down, up alike.
    assert_eq!(focus(0), "engine::parse");
    assert_ne!(focus(1), focus(0));
    assert_eq!(focus(2), focus(0));
    assert_eq!(focus(6), "engine::parse", "Home");
    // Enter goes in, at the largest; a function has nothing inside.
    assert!(
        text(&keys[7]["path"]).contains("engine\nparse"),
        "{}",
        keys[7]
    );
    assert!(focus(7).starts_with("engine::parse::"), "{}", keys[7]);
    assert_eq!(keys[8]["path"], keys[7]["path"]);
    assert_eq!(
        focus(9),
        "engine::parse",
        "Escape goes back to where one was"
    );
    assert_eq!(focus(10), "engine", "Backspace as well");
    assert_eq!(
        keys[11]["path"], keys[10]["path"],
        "there is nothing outside"
    );

    let tabs = texts(&seen["tabs"]);
    let place = |what: &dyn Fn(&str) -> bool| tabs.iter().position(|tab| what(tab));
    let order = [
        place(&|tab| tab == "app.wasm"),
        place(&|tab| tab == "colour"),
        place(&|tab| tab == "find"),
        place(&|tab| tab.contains("bytes,")),
        place(&|tab| tab == "crates"),
        place(&|tab| tab == "sections"),
    ];
    assert!(
        order.iter().all(Option::is_some) && order.is_sorted(),
        "{tabs:?}"
    );
    assert_eq!(
        tabs.iter().filter(|tab| tab.contains("bytes,")).count(),
        1,
        "{tabs:?}"
    );

    assert_eq!(seen["slash"], "find");
    assert!(
        text(&seen["search"]["status"]).contains("items have “parse” in the name"),
        "{}",
        seen["search"]
    );
    assert!(number(&seen["search"]["dim"]) > 0.0);
    let found = seen["search"]["list"].as_array().unwrap().len();
    assert!(found < seen["after"].as_array().unwrap().len());
}

/// Protects whoever opens a page about a file of somebody else: names stay names.
#[test]
fn no_name_gets_out_of_its_place() {
    let all = attribution(&program());
    let seen = &drive(&[view(all.clone(), None)], "names")[0];
    assert_eq!(seen["hacked"], "undefined");
    assert_eq!(seen["pictures"], 1, "the page's own script, and no picture");
    assert_eq!(seen["paper"], "%PDF-");
    let items: Vec<&str> = seen["groupings"]["items"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| texts(row)[0])
        .collect();
    for name in NASTY {
        let shown = build_support::report::names::visible(name);
        assert!(
            items.contains(&shown.as_str()),
            "{name} is not among {items:#?}"
        );
    }
}

/// Protects against what the test before cannot think of: even code in the page could run no script
/// of its own, draw nothing from elsewhere and send nothing anywhere.
#[test]
fn the_policy_forbids_everything_but_the_page_itself() {
    let seen = &drive(&[view(attribution(&program()), None)], "policy")[0];
    assert_eq!(seen["hacked"], "undefined");
    let refused = texts(&seen["refused"]);
    for directive in [
        "script-src-elem",
        "script-src-attr",
        "style-src-elem",
        "img-src",
        "form-action",
        "connect-src",
    ] {
        assert!(refused.contains(&directive), "{directive}: {refused:?}");
    }
}

/// Protects the treemap from lying: in the pixels of a screenshot the areas are as the bytes,
/// within a pixel at each edge; no label sticks out, and every text can be read, in light and in
/// dark.
#[test]
fn areas_are_as_the_bytes_and_texts_can_be_read() {
    let all = attribution(&program());
    for (scheme, seen) in ["light", "dark"]
        .iter()
        .zip(drive(&[view(all, None)], "look"))
    {
        let mut measured = 0;
        for view in ["whole", "crate", "module"] {
            let (seen, what) = (&seen[view], format!("{view}, {scheme}"));
            let cells = seen["cells"].as_array().unwrap();
            let bytes = |cell: &Value| {
                let said = text(&cell["says"]).rsplit_once(" bytes,").unwrap().0;
                let digits = said.rsplit_once(": ").unwrap().1.replace(',', "");
                digits.parse::<f64>().unwrap()
            };
            let sum: f64 = cells.iter().map(bytes).sum();
            let map = number(&seen["map"]["width"]) * number(&seen["map"]["height"]);
            for cell in cells {
                let (width, height) = (number(&cell["width"]), number(&cell["height"]));
                let expected = bytes(cell) / sum * map;
                let near = |width: f64, height: f64| {
                    (width * height - expected).abs() <= width + height + 1.0
                };
                assert!(
                    near(width, height),
                    "{what}: {cell} should have {expected} pixels"
                );
                if cell["drawn"].is_object() && height >= 60.0 && width >= 60.0 {
                    // The line to its neighbour is its own.
                    let of = |side: &str| number(&cell["drawn"][side]) + 1.0;
                    assert!(
                        near(of("width"), of("height")),
                        "{what}: {cell} is drawn otherwise than {expected} pixels"
                    );
                    measured += 1;
                }
            }
            assert!(
                number(&seen["colours"]) > 20.0,
                "{what}: the picture is blank"
            );
            assert!(number(&seen["labels"]) >= 5.0, "{what}: nothing has a name");
            assert_eq!(
                seen["sticking"],
                Value::Array(Vec::new()),
                "{what}: labels stick out"
            );
            assert!(
                number(&seen["contrast"]["ratio"]) >= 4.5,
                "{what}: {}",
                seen["contrast"]
            );
        }
        assert!(
            measured >= 5,
            "{scheme}: only {measured} rectangles were measured in the picture"
        );
    }
}

/// Protects the diff view: the four ways to change, each with its figures, and the sum.
#[test]
fn what_changed_is_shown_beside_the_old_file() {
    let mut old = program();
    old.retain(|(name, _)| !name.starts_with("tiny"));
    old.push(("gone::away".to_owned(), 300));
    for (name, length) in &mut old {
        match name.as_str() {
            name if name.starts_with("serde_json") => *length += 50,
            name if name.starts_with("core::fmt") => *length -= 5,
            _ => {}
        }
    }
    let (old, new) = (attribution(&old), attribution(&program()));
    let (before, after) = (old.bytes, new.bytes);
    for seen in drive(&[view(new, Some(old))], "compare") {
        let since = format!(
            "{} since {}",
            units::change(before, after).replace('-', "−"),
            units::counted(before)
        );
        assert!(
            text(&seen["status"]).contains(&since),
            "{since}: {}",
            seen["status"]
        );
        assert_eq!(seen["colour"], "change");
        assert!(
            number(&seen["contrast"]["ratio"]) >= 4.5,
            "{}",
            seen["contrast"]
        );
        let foot = texts(&seen["foot"]);
        assert_eq!(
            (foot[1], foot[4]),
            (units::bytes(after).as_str(), units::bytes(before).as_str())
        );
        let only = |what: &str| -> Vec<String> {
            let rows = seen["only"][what].as_array().unwrap();
            rows.iter().map(|row| texts(row)[0].to_owned()).collect()
        };
        assert_eq!(only("appeared"), ["tiny::one::parse0"]);
        assert_eq!(only("vanished"), ["gone::away"]);
        let of = |list: Vec<String>, krate: &str| {
            list.iter()
                .all(|name| name.starts_with(krate) || name.starts_with('['))
        };
        assert!(
            of(only("shrank"), "serde_json") && of(only("grew"), "core::fmt"),
            "{}",
            seen["only"]
        );
        assert_eq!(
            only("grew")
                .iter()
                .filter(|name| name.starts_with("core"))
                .count(),
            12
        );
    }
}

/// Protects whoever asks where code was written: each crate and item has what was written in it,
/// those of which nothing is left too, so that the columns sum to the code that was linked.
#[test]
fn what_was_written_is_shown_beside_what_is_left() {
    let part = |function: &str, of: &str, source: &str, krate: &str, bytes| Part {
        function: function.to_owned(),
        of: of.to_owned(),
        source: source.to_owned(),
        krate: krate.to_owned(),
        bytes,
    };
    let [emit, gone] = ["engine::emit::parse0", "gone::away"];
    let parts = vec![
        part(emit, "engine", emit, "engine", 700),
        part(emit, "engine", gone, "gone", 300),
        part(gone, "gone", gone, "gone", 50),
    ];
    let mut view = view(attribution(&program()), None);
    view.inlined = Some(Inlined {
        bytes: 1_050,
        parts,
    });
    let markdown = markdown::draw(std::slice::from_ref(&view)).unwrap();
    for line in [
        "where the code was written, 1,050 bytes linked",
        "- 350 (33.3%, 300 inlined elsewhere) `gone`",
        "- 700 (66.7%, 0 inlined elsewhere) `engine::emit::parse0`",
    ] {
        assert!(markdown.contains(line), "{line} in\n{markdown}");
    }
    for seen in drive(&[view], "written") {
        assert!(text(&seen["note"]).contains("before optimisation"));
        assert_eq!(texts(&seen["heads"])[4..], ["written", "inlined"]);
        for (grouping, name, figures) in [
            ("crates", "gone", ["0", "350", "300"]),
            ("crates", "engine", ["", "700", "0"]),
            ("crates", "serde_json", ["", "0", "0"]),
            ("items", gone, ["0", "350", "300"]),
            ("items", emit, ["", "700", "0"]),
        ] {
            let rows = seen["groupings"][grouping]["rows"].as_array().unwrap();
            // Behind the name may stand how many items it is.
            let is_it = |shown: &str| shown == name || shown.starts_with(&format!("{name} "));
            let row = rows.iter().map(texts).find(|row| is_it(row[0]));
            let row = row.unwrap_or_else(|| panic!("no {name} by {grouping}"));
            assert_eq!(row[4..], figures[1..], "{name} by {grouping}");
            assert!(figures[0].is_empty() || row[1] == figures[0], "{row:?}");
            let foot = texts(&seen["groupings"][grouping]["foot"]);
            assert_eq!(foot[4..], ["1,050", "300"], "{grouping}");
        }
        let sections = texts(&seen["groupings"]["sections"]["foot"]);
        assert_eq!(sections.len(), 4, "no section has what was written in it");
        // Within a crate only what stands in it is listed.
        let rows = seen["crate"]["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
    }
}

/// Protects the page's use on a large file: 40,000 functions of 10 MB are all in it, and few are
/// drawn at a time.
#[test]
fn a_file_of_forty_thousand_functions_stays_usable() {
    let name = |i: usize| format!("crate_{}::module_{}::function_{i}", i % 37, i % 1_009);
    let functions: Vec<(String, usize)> =
        (0..40_000).map(|i| (name(i), 100 + i * 7 % 311)).collect();
    let all = attribution(&functions);
    assert!(
        all.bytes > 10_000_000 && all.rows.len() > 40_000,
        "{}",
        all.bytes
    );
    let seen = &drive(&[view(all.clone(), None)], "large")[0];
    assert!(
        text(&seen["status"]).starts_with(&says("the whole file", all.bytes, &all)),
        "{seen}"
    );
    for nodes in seen["nodes"].as_array().unwrap() {
        assert!(number(nodes) < 6_000.0, "{nodes} elements");
    }
    let path = texts(&seen["paths"])[1].to_owned();
    assert!(
        path.contains("crate_") && path.contains("module_"),
        "{path}"
    );
}

//! `docs/native-size.md`: ways of building `weft`, as a page.

use crate::native::builds::{Builds, CleanBuild, FAT, NO_TABLES, TAKEN_OUT, Way};
use crate::native::pgo::Gain;
use crate::native::sections::UNWINDING;
use build_support::output::text::style::HEADING;
use build_support::output::text::table::Table;
use build_support::report::units;

/// Sections that are shown; the others are summed up.
const SHOWN: [&str; 4] = [".text", ".rodata", ".data.rel.ro", ".rela.dyn"];

/// The page of `builds`, in Markdown.
pub fn draw(builds: &Builds) -> String {
    format!(
        "<!-- Written by `cargo make native-size`. Do not edit: the next run writes it anew. -->\n\n\
         # The native program\n\n\
         Built with {rustc} for {target}: `weft` with HTTP and TLS and \
         without an engine, as it is built in several ways. Times are of builds from nothing; those of \
         the processor, of all that ran, change little on a busy machine.\n\n\
         ## Size and time\n\n{sizes}\n\
         ## Sections\n\nIn bytes; symbols and what else is not loaded is in the size of the file alone.\n\n{sections}\n\
         ## Tables of unwinding\n\n{unwinding}\n\
         ## With a profile\n\n{pgo}\n\
         ## The shipped wasm file\n\n{wasm}",
        rustc = builds.rustc,
        target = builds.target,
        sizes = sizes(builds).markdown(),
        sections = sections(builds).markdown(),
        unwinding = unwinding(builds),
        pgo = pgo(builds),
        wasm = wasm(builds.wasm),
    )
}

fn seconds(millis: u64) -> String {
    format!("{:.1} s", millis as f64 / 1e3)
}

fn fat(builds: &Builds) -> Option<&Way> {
    builds.ways.iter().find(|way| way.name == FAT)
}

fn sizes(builds: &Builds) -> Table {
    let fat = fat(builds).map_or(1, |way| way.bytes.max(1));
    let rows = builds.ways.iter().map(|way| {
        let times = way.build.map_or(["", ""].map(str::to_owned), |build| {
            [build.processor_ms, build.clock_ms].map(seconds)
        });
        let [processor, clock] = times;
        [
            way.name.clone(),
            units::bytes(way.bytes),
            format!("{:.3}", way.bytes as f64 / fat as f64),
            processor,
            clock,
            if way.answers && way.refuses {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        ]
    });
    let heads = "way | >bytes | >ratio | >processor | >clock | works";
    Table::headed(HEADING, heads).rows(rows)
}

fn sections(builds: &Builds) -> Table {
    let rows = builds.ways.iter().map(|way| {
        let of = |name: &&str| way.sections.get(*name).copied().unwrap_or(0);
        let mut row = vec![way.name.clone()];
        row.extend(
            SHOWN
                .iter()
                .chain(&UNWINDING)
                .map(|name| units::bytes(of(name))),
        );
        row
    });
    let names = SHOWN.iter().chain(&UNWINDING);
    let heads: String = names.map(|name| format!(" | >`{name}`")).collect();
    Table::headed(HEADING, &format!("way{heads}")).rows(rows)
}

fn of_unwinding(way: &Way) -> u64 {
    UNWINDING
        .iter()
        .filter_map(|name| way.sections.get(*name))
        .sum()
}

fn unwinding(builds: &Builds) -> String {
    let Some(fat) = fat(builds) else {
        return String::new();
    };
    let mut text = format!(
        "Nothing unwinds: `panic = \"abort\"` in every release profile. The tables are {} of {} bytes ({}).\n\n",
        units::bytes(of_unwinding(fat)),
        units::bytes(fat.bytes),
        units::share(of_unwinding(fat), fat.bytes),
    );
    for name in [NO_TABLES, TAKEN_OUT] {
        let Some(way) = builds.ways.iter().find(|way| way.name == name) else {
            continue;
        };
        text += &format!(
            "- {name}: {} bytes of tables are left, the file is {} bytes ({}).\n",
            units::bytes(of_unwinding(way)),
            units::bytes(way.bytes),
            units::change_share(fat.bytes, way.bytes),
        );
    }
    text
}

fn pgo(builds: &Builds) -> String {
    let row = |name: &str, gain: Gain| {
        [
            name.to_owned(),
            units::bytes(gain.plain),
            units::bytes(gain.profiled),
            format!("{:.3}", gain.ratio),
        ]
    };
    let pgo = &builds.pgo;
    let rows = [
        row("instructions of what trained it", pgo.training),
        row("instructions of other commands", pgo.others),
        row("bytes", pgo.bytes),
    ];
    let table = Table::headed(HEADING, "of `weft` | >plain | >with a profile | >ratio").rows(rows);
    format!(
        "`cargo make pgo` makes it: instrumented, trained with real commands against the scripted provider, \
         built anew. Counted by {}.\n\n{}",
        pgo.counter,
        table.markdown()
    )
}

fn wasm(build: CleanBuild) -> String {
    format!(
        "From an empty folder to the shipped component (`release-wasm`, the standard library where the \
         target has none, every pass): {} of the processor, {} on the clock. \
         `cargo make build-time --against REF` gives the ratio to another commit, which may be 1.2.\n",
        seconds(build.processor_ms),
        seconds(build.clock_ms),
    )
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::native::builds::{Builds, CleanBuild, FAT, NO_TABLES, Way};
    use crate::native::pgo::{Gain, Pgo};

    /// Protects the page: its figures are those of the builds.
    #[test]
    fn the_page_has_the_figures() {
        let clean = CleanBuild {
            processor_ms: 61_500,
            clock_ms: 100_000,
        };
        let way = |name: &str, bytes, eh_frame| Way {
            name: name.to_owned(),
            bytes,
            sections: [
                (".eh_frame".to_owned(), eh_frame),
                (".text".to_owned(), 777),
            ]
            .into(),
            build: Some(clean),
            answers: true,
            refuses: name == FAT,
        };
        let builds = Builds {
            rustc: "rustc 9".to_owned(),
            target: "t".to_owned(),
            ways: vec![way(FAT, 10_000, 1_000), way(NO_TABLES, 9_100, 100)],
            pgo: Pgo {
                counter: "beans".to_owned(),
                training: Gain::new(2_000, 1_500),
                others: Gain::new(2_000, 1_900),
                bytes: Gain::new(10_000, 10_500),
            },
            wasm: clean,
        };
        let page = draw(&builds);
        for words in [
            "1,000 of 10,000 bytes (10.0%)",
            "100 bytes of tables are left, the file is 9,100 bytes (-9.0%)",
            "0.750",
            "0.950",
            "1.050",
            "61.5 s",
            "counted by beans",
            "rustc 9 for t",
        ] {
            assert!(
                page.to_lowercase().contains(&words.to_lowercase()),
                "{words}: {page}"
            );
        }
        let of = |name: &str| {
            page.lines()
                .find(|line| line.contains(name) && line.contains("61.5"))
        };
        assert!(of(FAT).unwrap().contains("yes") && of(NO_TABLES).unwrap().contains("no"));
    }
}

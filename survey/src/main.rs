//! Puts published framers under test with everysplit, and prints a table of the verdicts.
//!
//! `cargo run` checks all of them and exits with 1 if a verdict is not the expected one. Names of
//! crates as arguments check only those. `--write` writes the table to `docs/survey.md`.

mod framer;
mod row;
mod table;
mod binary;
mod compressed;
mod databases;
mod documents;
mod http;
mod lengths;
mod messages;
mod serial;
mod terminal;
mod text;
mod websocket;

use std::process::ExitCode;

use row::Row;

/// The page with the table between two marks.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/survey.md");
const BEGIN: &str = "<!-- The command `just survey` writes from here -->\n";
const END: &str = "<!-- to here. -->\n";

fn main() -> ExitCode {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let write = names.iter().position(|name| name == "--write").map(|at| names.remove(at));
    let is_chosen = |package: &str| names.is_empty() || names.iter().any(|name| name == package);

    let mut text = String::new();
    let mut unexpected = 0;
    for family in families() {
        let framers = family.framers.iter().filter(|framer| is_chosen(framer.package));
        let rows: Vec<_> = framers.map(|framer| Row::check(&family, framer)).collect();
        for row in rows.iter().filter(|row| !row.is_expected || !names.is_empty()) {
            eprintln!("{} {}: {:?}\n{}", row.package, row.name, row.violations, row.details);
        }
        unexpected += rows.iter().filter(|row| !row.is_expected).count();
        if !rows.is_empty() {
            table::write(&mut text, family.title, &rows);
        }
    }
    print!("{text}");
    if write.is_some() {
        write_page(&text);
    }
    match unexpected {
        0 => ExitCode::SUCCESS,
        count => {
            eprintln!("{count} verdicts are not the expected ones");
            ExitCode::FAILURE
        }
    }
}

/// Returns all framers, by kind.
fn families() -> Vec<framer::Family> {
    vec![
        text::family(),
        terminal::family(),
        lengths::family(),
        http::family(),
        websocket::family(),
        databases::family(),
        messages::family(),
        binary::family(),
        serial::family(),
        documents::family(),
        compressed::family(),
    ]
}

/// Replaces the table in the page.
fn write_page(table: &str) {
    let page = std::fs::read_to_string(PAGE).expect("docs/survey.md can be read");
    let (before, rest) = page.split_once(BEGIN).expect("the page has a begin mark");
    let (_, after) = rest.split_once(END).expect("the page has an end mark");
    let page = format!("{before}{BEGIN}\n{table}{END}{after}");
    std::fs::write(PAGE, page).expect("docs/survey.md can be written");
}

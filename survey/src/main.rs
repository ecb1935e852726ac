//! Puts published framers under test with everysplit, and prints a table of the verdicts.
//!
//! `cargo run` checks all of them, and exits with 1 if a verdict is not the expected one or a program
//! is not installed. Names as arguments choose what is checked. `--write` writes the table to
//! `docs/survey.md`. Programs are tested through the command in the folder `EVERYSPLIT`, by default
//! the one that is built here.

mod binary;
mod compressed;
mod databases;
mod decoders;
mod documents;
mod framer;
mod http;
mod lengths;
mod messages;
mod program;
mod row;
mod serial;
mod servers;
mod table;
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
    let write = names
        .iter()
        .position(|name| name == "--write")
        .map(|at| names.remove(at));
    let is_chosen = |name: &str| names.is_empty() || names.iter().any(|it| it == name);

    let mut tables = Vec::new();
    for family in families() {
        let framers = family
            .framers
            .iter()
            .filter(|framer| is_chosen(framer.package));
        let rows: Vec<_> = framers.map(|framer| Row::check(&family, framer)).collect();
        tables.push((family.title, rows));
    }
    let mut missing = 0;
    let programs = [
        ("Servers", servers::servers()),
        ("Other languages", decoders::decoders()),
    ];
    for (title, programs) in programs {
        let mut rows = Vec::new();
        for program in programs {
            match is_chosen(program.name).then(|| program.check()) {
                Some(Ok(row)) => rows.push(row),
                Some(Err(error)) => {
                    missing += 1;
                    eprintln!("not tested: {error}");
                }
                None => {}
            }
        }
        tables.push((title, rows));
    }

    let rows = || tables.iter().flat_map(|(_, rows)| rows);
    for row in rows().filter(|row| !row.is_expected || !names.is_empty()) {
        eprintln!(
            "{} {}: {:?}\n{}",
            row.package, row.name, row.violations, row.details
        );
    }
    let unexpected = rows().filter(|row| !row.is_expected).count();
    let mut text = table::summary(rows());
    for (title, rows) in tables.iter().filter(|(_, rows)| !rows.is_empty()) {
        table::write(&mut text, title, rows);
    }
    print!("{text}");
    if unexpected + missing > 0 {
        eprintln!("{unexpected} verdicts are not the expected ones, {missing} programs not tested");
        return ExitCode::FAILURE;
    }
    if write.is_some() && names.is_empty() {
        write_page(&text);
    }
    ExitCode::SUCCESS
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

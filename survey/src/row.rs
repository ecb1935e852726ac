//! A row of the table: what was tested, how, and what came out.

use std::time::{Duration, Instant};

use everysplit::{Property, Tier, Verdicts};

use crate::framer::{Family, Framer};

/// The versions of the crates.
const MANIFEST: &str = include_str!("../Cargo.toml");

/// One framer, server or decoder, and its verdict.
pub(crate) struct Row {
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) name: String,
    /// How it was put under test: the door of the harness, or the verb of the command.
    pub(crate) door: String,
    /// The number of lines that this took.
    pub(crate) lines: usize,
    /// How far the checks went, such as `proved 12`.
    pub(crate) tier: String,
    /// The declared deviations from the strict policy.
    pub(crate) declared: Vec<String>,
    /// The violated properties, each with the token of the smallest case.
    pub(crate) violations: Vec<(String, String)>,
    pub(crate) time: Duration,
    /// Whether the violations are those that are expected.
    pub(crate) is_expected: bool,
    /// The text of the smallest violations.
    pub(crate) details: String,
}

impl Row {
    /// Checks a framer of a family.
    pub(crate) fn check(family: &Family, framer: &Framer) -> Self {
        let started = Instant::now();
        let verdicts = (framer.check)();
        let time = started.elapsed();
        let smallest = Property::ALL
            .into_iter()
            .filter_map(|it| verdicts.smallest(it));
        let smallest: Vec<_> = smallest.collect();
        let case = |violation: &&everysplit::Violation| {
            (
                violation.property.name().to_owned(),
                violation.case.to_string(),
            )
        };
        let violations: Vec<_> = smallest.iter().map(case).collect();
        let expected = framer.violations.iter();
        let function = family.function(framer.function);
        Self {
            package: framer.package.into(),
            version: version(framer.package),
            name: framer.name.into(),
            door: door(function),
            lines: function.lines().count(),
            tier: tiers(&verdicts),
            declared: declared(&verdicts),
            is_expected: expected
                .map(|&(property, token)| (property.into(), token.into()))
                .eq(violations.iter().cloned()),
            violations,
            time,
            details: smallest
                .iter()
                .map(|violation| violation.to_string() + "\n")
                .collect(),
        }
    }
}

/// Returns the version of a crate.
fn version(package: &str) -> String {
    let line = MANIFEST
        .lines()
        .find(|line| line.starts_with(&format!("{package} = ")));
    let version = line.and_then(|line| line.split("\"=").nth(1)?.split('"').next());
    version.expect("the crate has an exact version").into()
}

/// Returns the door that a function uses, such as `codec`.
fn door(function: &str) -> String {
    let door = function
        .split("Harness::")
        .nth(1)
        .expect("a function that makes a harness");
    let end = door.find(['(', ':']).unwrap_or(door.len());
    door[..end].into()
}

/// Returns how far the checks went, with the number of streams of each kind.
fn tiers(verdicts: &Verdicts) -> String {
    let certificates = verdicts.certificates();
    let count = |name, is: fn(&Tier) -> bool| {
        let count = certificates.iter().filter(|it| is(&it.tier)).count();
        (count > 0).then(|| format!("{name} {count}"))
    };
    let tiers = [
        count("proved", |tier| {
            matches!(tier, Tier::Proved { .. } | Tier::ProvedAt { .. })
        }),
        count("bounded", |tier| {
            matches!(tier, Tier::Bounded { .. } | Tier::BoundedAt { .. })
        }),
    ];
    tiers.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns the declared deviations.
fn declared(verdicts: &Verdicts) -> Vec<String> {
    let of_held = verdicts.certificates().iter().map(|it| &it.deviations);
    let violations = Property::ALL
        .into_iter()
        .flat_map(|it| verdicts.violations(it));
    let mut all = of_held.chain(violations.map(|it| &it.deviations));
    all.next()
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect()
}

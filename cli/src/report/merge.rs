//! `everysplit report merge`: makes one result of the JSON reports of all shards of a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use everysplit::{Deviation, Property, Violation};

use super::json::{JsonKnown, JsonReport, JsonStream, JsonViolation, VERSION};
use super::known::{KnownViolation, KnownViolations};
use super::model::{Counterexample, RunResult, StreamResult, Verdict};
use super::recorder::{Ending, command_line};
use super::terminal::Terminal;
use super::{check_files, write_result};
use crate::Error;
use crate::options::{self, DECLARATIONS, MergeOptions, Shard, Title, VERBS};
use crate::text::count;

/// Maximum number of missing shards that are named.
const MAX_MISSING: usize = 10;

/// Merges the reports, prints the result and writes it. Returns whether everything held.
///
/// # Errors
///
/// If a file is no report of the same run, if a shard is there twice, or if one is missing and nothing
/// is violated.
pub(crate) fn run(options: &MergeOptions) -> Result<bool, Error> {
    check_files(&options.report.files)?;
    let result = merge(&options.files)?;
    let terminal = Terminal::start(options.report.output);
    write_result(&result, &terminal, &options.report)
}

/// A report that was read, with what is checked of it.
struct Part<'a> {
    path: &'a Path,
    title: Title,
    shard: Shard,
    report: JsonReport,
}

fn merge(files: &[impl AsRef<Path>]) -> Result<RunResult, Error> {
    let mut parts: BTreeMap<usize, Part<'_>> = BTreeMap::new();
    for path in files {
        let part = read(path.as_ref())?;
        if let Some(first) = parts.values().next() {
            is_same_run(first, &part)?;
        }
        let (path, shard) = (part.path.display(), part.shard);
        if let Some(twice) = parts.insert(shard.number(), part) {
            let other = twice.path.display();
            return Err(format!("{other} and {path} are both of the shard {shard}").into());
        }
    }
    let first = parts.values().next().ok_or("there are no reports")?;
    let shards = first.shard.count();
    let mut result = RunResult {
        command: command_line(),
        title: first.title.clone(),
        run: first.report.run.clone(),
        ..RunResult::default()
    };
    let mut covered = Vec::new();
    let mut stopped = missing(&parts, shards);
    let mut streams = Vec::new();
    for part in parts.into_values() {
        let Part {
            path,
            shard,
            report,
            ..
        } = part;
        covered.push(report.covered.clone());
        stopped.extend(
            report
                .stopped
                .iter()
                .map(|why| format!("shard {shard}: {why}")),
        );
        let own = add(&mut result, report);
        let own = own.map_err(|error| format!("{}: {error}", path.display()))?;
        streams.push(own.into_iter());
    }
    // Streams were dealt out in turn.
    while streams.iter().any(|own| own.len() > 0) {
        result
            .streams
            .extend(streams.iter_mut().filter_map(Iterator::next));
    }
    covered.retain(|covered| !covered.is_empty());
    result.end(Ending {
        covered: format!(
            "{}: {}",
            count(covered.len() as u64, "shard"),
            covered.join(" + ")
        ),
        stopped: (!stopped.is_empty()).then(|| stopped.join("; ")),
    });
    Ok(result)
}

/// Returns a message for each of the first shards that are missing, and one for the others.
fn missing(parts: &BTreeMap<usize, Part<'_>>, shards: usize) -> Vec<String> {
    let missing = (1..=shards).filter(|number| !parts.contains_key(number));
    let mut messages: Vec<_> = missing
        .take(MAX_MISSING)
        .map(|number| format!("the shard {number}/{shards} is missing"))
        .collect();
    match shards - parts.len() - messages.len() {
        0 => {}
        1 => messages.push("and one more shard is missing".into()),
        more => messages.push(format!("and {more} more shards are missing")),
    }
    messages
}

fn read(path: &Path) -> Result<Part<'_>, Error> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    let report: JsonReport = serde_json::from_str(&text)
        .map_err(|error| format!("{name} is no JSON report of everysplit: {error}"))?;
    if report.version != VERSION {
        return Err(format!(
            "{name} is a report of version {}, and this is version {VERSION}: use the everysplit that \
             wrote it",
            report.version
        )
        .into());
    }
    let verb = VERBS.into_iter().find(|&verb| verb == report.verb);
    let shard = report.shard.as_deref().map_or(Ok(Shard::WHOLE), str::parse);
    Ok(Part {
        path,
        title: Title {
            verb: verb.ok_or_else(|| format!("{name}: `{}` is no verb", report.verb))?,
            subject: report.subject.clone(),
        },
        shard: shard.map_err(|error| format!("{name}: the shard: {error}"))?,
        report,
    })
}

/// Checks that two reports can be shards of one run.
fn is_same_run(first: &Part<'_>, other: &Part<'_>) -> Result<(), Error> {
    let runs = [first, other].map(|part| {
        let Title { verb, subject } = &part.title;
        let tool = &part.report.tool;
        format!(
            "`{verb}: {subject}` in {} shards by {tool}",
            part.shard.count()
        )
    });
    let [path, other_path] = [first, other].map(|part| part.path.display());
    if runs[0] != runs[1] {
        return Err(format!(
            "not shards of one run: {path} is of {}, and {other_path} of {}",
            runs[0], runs[1]
        )
        .into());
    }
    if first.report.run != other.report.run {
        let [own, others] = difference(&first.report.run, &other.report.run);
        return Err(format!(
            "not shards of one run: {path} has {own}, and {other_path} has {others}"
        )
        .into());
    }
    // A shard that could not read its streams has none, and has stopped.
    if let (Some(all), Some(others)) = (&first.report.shared, &other.report.shared)
        && all != others
    {
        return Err(format!(
            "not shards of one run: {path} is of {all}, and {other_path} is of {others}; give \
             each shard the same files"
        )
        .into());
    }
    for (own, others) in [(first, other), (other, first)] {
        if let Some(JsonKnown {
            property, stream, ..
        }) = only_known_in(&own.report, &others.report)
        {
            let [path, other_path] = [own, others].map(|part| part.path.display());
            return Err(format!(
                "not shards of one run: {path} has the known violation `{property} {stream}`, and \
                 {other_path} has it not"
            )
            .into());
        }
    }
    Ok(())
}

/// Returns a known violation that is in one of two lists only.
fn only_known_in<'a>(report: &'a JsonReport, other: &JsonReport) -> Option<&'a JsonKnown> {
    let is_in_other = |known: &JsonKnown| {
        let mut others = other.known.iter();
        others.any(|other| (&other.property, &other.stream) == (&known.property, &known.stream))
    };
    report.known.iter().find(|known| !is_in_other(known))
}

/// Returns what is different in two command lines: of a value, its option too.
fn difference(first: &str, other: &str) -> [String; 2] {
    let lines = [first, other].map(|line| line.split(' ').collect::<Vec<_>>());
    let [first, other] = &lines;
    let equal = |(first, other): &(&&str, &&str)| first == other;
    let same = first.iter().zip(other).take_while(equal).count();
    let is_value = |line: &Vec<&str>| line.get(same).is_some_and(|word| !word.starts_with('-'));
    let begin = same - usize::from(same > 0 && is_value(first) && is_value(other));
    let [first, other] = [&first[begin..], &other[begin..]];
    let end = first.iter().rev().zip(other.iter().rev());
    let end = end.take_while(equal).count();
    [first, other].map(|words| match words[..words.len() - end].join(" ") {
        words if words.is_empty() => "nothing instead".into(),
        words => format!("`{words}`"),
    })
}

/// Adds what a report says to a result, and returns its streams.
fn add(result: &mut RunResult, report: JsonReport) -> Result<Vec<StreamResult>, Error> {
    for found in &report.properties {
        let property = property(&found.name)?;
        match &*found.verdict {
            "held" | "held_so_far" => result.held.push(property),
            "unknown" if found.streams > report.streams.len() => {
                let (name, streams, all) = (&found.name, found.streams, report.streams.len());
                return Err(format!("{name} is unknown on {streams} streams of {all}").into());
            }
            "unknown" => {
                let unknown = std::iter::repeat_n(property, found.streams);
                result.unknown.extend(unknown);
            }
            _ => {}
        }
    }
    for name in &report.omitted {
        let omitted = property(name)?;
        if !result.omitted.iter().any(|&(other, _)| other == omitted) {
            // The line about it is in what was covered.
            result.omitted.push((omitted, String::new()));
        }
    }
    for name in &report.only {
        let only = property(name)?;
        if !result.only.contains(&only) {
            result.only.push(only);
        }
    }
    let known = report.known.into_iter().map(known_violation);
    let known = known.collect::<Result<_, _>>()?;
    result.known.merge(KnownViolations(known));
    for warning in report.warnings {
        if !result.warnings.contains(&warning) {
            result.warnings.push(warning);
        }
    }
    let streams = report.streams.into_iter();
    streams.map(|it| stream(it, &result.title)).collect()
}

fn known_violation(known: JsonKnown) -> Result<KnownViolation, Error> {
    Ok(KnownViolation {
        property: property(&known.property)?,
        stream: known.stream,
        occurred: known.occurred,
    })
}

fn stream(stream: JsonStream, title: &Title) -> Result<StreamResult, Error> {
    let verdict = match (&*stream.verdict, stream.violation) {
        ("held", None) => Verdict::Held(stream.tried.unwrap_or_default()),
        ("not_checked", None) => Verdict::NotChecked(stream.reason.unwrap_or_default()),
        ("violated", None) => Verdict::Failed(stream.reason.unwrap_or_default()),
        (verdict @ ("violated" | "known"), Some(found)) => {
            let known = verdict == "known";
            Verdict::Violated(Box::new(counterexample(found, title, known)?))
        }
        (verdict, _) => {
            return Err(format!("the stream {}: `{verdict}` is no verdict", stream.name).into());
        }
    };
    Ok(StreamResult {
        name: stream.name,
        bytes: stream.bytes,
        verdict,
    })
}

/// Makes a violation of what a report says of it. Its split map is not in the report.
fn counterexample(
    found: JsonViolation,
    title: &Title,
    known: bool,
) -> Result<Counterexample, Error> {
    let case = found.token.parse();
    let options = found
        .option
        .iter()
        .flat_map(|options| options.split(" or "));
    let declare = options.filter_map(|option| {
        let mut declarations = DECLARATIONS.into_iter();
        declarations.find_map(|(deviation, name)| (name == option).then_some(deviation))
    });
    let case = case.map_err(|error| format!("the token {}: {error}", found.token))?;
    let property = property(&found.property)?;
    let mut violation = Violation::new(property, case, found.expected, found.actual);
    violation.edges = found.edges;
    violation.offset = found.offset;
    violation.deviations = found
        .declared
        .iter()
        .filter_map(|it| deviation(it))
        .collect();
    violation.declare = declare.collect();
    violation.replays = !found.replay.is_empty();
    Ok(Counterexample {
        sentence: title.sentence(property),
        violation,
        map: None,
        replay: found.replay,
        known,
    })
}

fn deviation(text: &str) -> Option<Deviation> {
    let mut known = DECLARATIONS.into_iter().map(|(deviation, _)| deviation);
    known.find(|deviation| deviation.to_string() == text)
}

fn property(name: &str) -> Result<Property, Error> {
    options::property(name).ok_or_else(|| format!("`{name}` is no property").into())
}

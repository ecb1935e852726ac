//! The table of verdicts, as Markdown.

use std::fmt::Write as _;

use crate::row::Row;

/// Returns how many were tested, and how many violate something.
pub(crate) fn summary<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let (violated, held): (Vec<_>, Vec<_>) = rows.partition(|row| !row.violations.is_empty());
    let (all, violated) = (held.len() + violated.len(), violated.len());
    format!(
        "{all} under test: {} hold, {violated} violate a property.\n\n",
        held.len()
    )
}

/// Writes one table, under a heading.
pub(crate) fn write(table: &mut String, title: &str, rows: &[Row]) {
    let _ = write!(
        table,
        "### {title}\n\n\
         | under test | how | lines | streams | declared | verdict | time |\n\
         |---|---|---:|---|---|---|---:|\n"
    );
    for row in rows {
        let Row {
            package,
            version,
            name,
            door,
            lines,
            tier,
            ..
        } = row;
        let name = if name.is_empty() {
            String::new()
        } else {
            format!(" `{name}`")
        };
        let declared = row.declared.join("; ");
        let seconds = row.time.as_secs_f64();
        let verdict = verdict(row);
        let _ = writeln!(
            table,
            "| {package} {version}{name} | {door} | {lines} | {tier} | {declared} | {verdict} \
             | {seconds:.1} s |"
        );
    }
    table.push('\n');
}

/// Returns what a row's check found, with a link to what explains it.
fn verdict(row: &Row) -> String {
    if row.violations.is_empty() {
        return "held".into();
    }
    let mut properties: Vec<_> = row
        .violations
        .iter()
        .map(|(property, _)| property.as_str())
        .collect();
    properties.dedup();
    format!(
        "**{}**: [why](#{})",
        properties.join(", "),
        anchor(&row.package)
    )
}

/// Returns the anchor of a heading.
fn anchor(heading: &str) -> String {
    let words = heading.to_lowercase().replace(' ', "-");
    words.replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', "")
}

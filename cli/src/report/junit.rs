//! The `JUnit` report, for CI: a test case for each stream. It has no times, so that equal runs
//! give equal reports.

use everysplit::Property;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::model::{Counterexample, RunResult, StreamResult, Verdict};
use crate::Error;
use crate::options::Title;

pub(super) fn suite(result: &RunResult) -> Result<String, Error> {
    let Title { verb, subject } = &result.title;
    let mut suite = TestSuite::new(xml(&format!("everysplit {verb}: {subject}")));
    suite.add_property((xml("command"), xml(&result.command)));
    let class = class(&result.title);
    let case = |name: &str, status| {
        let mut case = TestCase::new(xml(name), status);
        case.set_classname(&*class);
        case
    };
    let cases = result.streams.iter().map(|stream| {
        let mut case = case(&stream.name, status(stream));
        if let Verdict::Held(tried) = &stream.verdict {
            case.set_system_out(xml(tried));
        }
        case
    });
    suite.add_test_cases(cases);
    for stale in &result.stale {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("stale").set_message(xml(stale));
        suite.add_test_case(case(stale, status));
    }
    for reason in result.reasons() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("stopped").set_message(xml(reason));
        suite.add_test_case(case("not everything was checked", status));
    }
    suite.set_system_out(xml(&result.summary()));
    if !result.warnings.is_empty() {
        suite.set_system_err(xml(&result.warnings.join("\n")));
    }
    let mut report = Report::new("everysplit");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

/// Returns the class name of the test cases, for tools that do not show suites. A dot separates
/// packages.
fn class(Title { verb, subject }: &Title) -> XmlString {
    xml(&format!("everysplit.{verb}.{}", subject.replace('.', "_")))
}

fn status(stream: &StreamResult) -> TestCaseStatus {
    match &stream.verdict {
        Verdict::Held(_) => TestCaseStatus::success(),
        Verdict::Violated(counterexample) => violated(counterexample),
        Verdict::Failed(text) => {
            let property = Property::EverySplit;
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status
                .set_type(property.name())
                .set_message(property.sentence())
                .set_description(xml(text));
            status
        }
        Verdict::NotChecked(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_type("not_checked").set_message(xml(reason));
            status
        }
    }
}

fn violated(counterexample: &Counterexample) -> TestCaseStatus {
    let property = counterexample.violation.property;
    let mut status = if counterexample.known {
        TestCaseStatus::skipped()
    } else {
        TestCaseStatus::non_success(NonSuccessKind::Failure)
    };
    status
        .set_type(property.name())
        .set_message(counterexample.sentence)
        .set_description(xml(&counterexample.to_string()));
    status
}

/// Removes two characters that XML does not allow and the crate lets pass.
fn xml(text: &str) -> XmlString {
    text.replace(['\u{fffe}', '\u{ffff}'], "").into()
}

//! The `JUnit` report, for CI: a test case for each stream. It has no times, so that equal runs
//! give equal reports.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::model::{Counterexample, RunResult, StreamResult, Verdict};
use crate::Error;

/// The class name of the test cases, for tools that do not show suites.
const CLASS: &str = "everysplit";

pub(super) fn suite(result: &RunResult) -> Result<String, Error> {
    let mut suite = TestSuite::new(xml(&result.command));
    suite.add_test_cases(result.streams.iter().map(stream));
    for stale in &result.stale {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("stale").set_message(xml(stale));
        suite.add_test_case(case(stale, status));
    }
    if let Some(reason) = &result.stopped {
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

fn stream(stream: &StreamResult) -> TestCase {
    match &stream.verdict {
        Verdict::Held(tried) => {
            let mut case = case(&stream.name, TestCaseStatus::success());
            case.set_system_out(xml(tried));
            case
        }
        Verdict::Violated(counterexample) => case(&stream.name, violated(counterexample)),
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
        .set_message(property.sentence())
        .set_description(xml(&counterexample.to_string()));
    status
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(xml(name), status);
    case.set_classname(CLASS);
    case
}

/// Removes two characters that XML does not allow and the crate lets pass.
fn xml(text: &str) -> XmlString {
    text.replace(['\u{fffe}', '\u{ffff}'], "").into()
}

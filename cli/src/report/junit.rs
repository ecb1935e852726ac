//! A report as `JUnit`'s XML, for what shows the tests of a build: a test case for each stream.
//! It holds no times, so that the same run is told the same way.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::{Entry, Found, Run, Verdict};
use crate::Cannot;

/// What the cases are kept together under where suites are not shown.
const CLASS: &str = "everysplit";

pub(super) fn suite(run: &Run) -> Result<String, Cannot> {
    let mut suite = TestSuite::new(xml(&run.command));
    suite.add_test_cases(run.entries.iter().map(stream));
    for unmet in &run.unmet {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("unmet").set_message(xml(unmet));
        suite.add_test_case(case(unmet, status));
    }
    if let Some(stopped) = &run.stopped {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("stopped").set_message(xml(stopped));
        suite.add_test_case(case("not all was asked", status));
    }
    suite.set_system_out(xml(&run.summary()));
    let mut report = Report::new("everysplit");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

fn stream(entry: &Entry) -> TestCase {
    match &entry.verdict {
        Verdict::Held(tried) => {
            let mut case = case(&entry.name, TestCaseStatus::success());
            case.set_system_out(xml(tried));
            case
        }
        Verdict::Violated(found) => case(&entry.name, violated(found)),
    }
}

fn violated(found: &Found) -> TestCaseStatus {
    let property = found.violation.property;
    let mut status = if found.known {
        TestCaseStatus::skipped()
    } else {
        TestCaseStatus::non_success(NonSuccessKind::Failure)
    };
    status
        .set_type(property.name())
        .set_message(property.sentence())
        .set_description(xml(&found.to_string()));
    status
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(xml(name), status);
    case.set_classname(CLASS);
    case
}

/// Leaves out what has no place in XML: two characters that the crate lets pass too.
fn xml(text: &str) -> XmlString {
    text.replace(['\u{fffe}', '\u{ffff}'], "").into()
}

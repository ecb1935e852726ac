//! Makes a violation small. It knows the framer only by the violations of other cases.
//!
//! Of two cases the smaller one has
//!
//! 1. fewer cuts,
//! 2. then fewer bytes,
//! 3. then smaller bytes, compared from the first on,
//! 4. then fewer cuts that are not at field edges, then earlier cuts.
//!
//! A pass tries smaller cases of one kind, and the passes repeat until none finds one:
//!
//! - `cuts`: fewer cuts, and cuts elsewhere
//! - `bytes`: without some bytes, and a length that counts them decreased
//! - `values`: smaller bytes
//! - `tiny`: every case of few bytes from a few letters
//!
//! `search` holds the smallest violation, the comparison and the budget.

mod bytes;
mod cuts;
mod search;
mod tiny;
mod values;

use crate::case::Case;
use crate::property::Property;
use crate::report::Violation;
use crate::split::Split;
use search::Search;

/// The longest stream of which all bytes, all ranges between edges, and all pairs of cuts are
/// tried, in bytes.
const SHORT: usize = 128;

/// The passes. After one that finds a smaller violation, the first one runs again.
const PASSES: [fn(&mut Search<'_>); 9] = [
    cuts::fewer,
    bytes::rest,
    bytes::fields,
    bytes::ranges,
    bytes::counted,
    values::lower,
    cuts::moved,
    bytes::pairs,
    tiny::all,
];

/// Returns the smallest violation of the same property that is found. `violates` returns the
/// violation of a case, if there is one. If no case shows it, the violation says so.
pub(crate) fn minimize(
    violation: Violation,
    violates: &dyn Fn(&Case) -> Option<Violation>,
) -> Violation {
    let Some(violation) = reproduce(&violation, violates) else {
        return Violation {
            replays: false,
            ..violation
        };
    };
    let mut search = Search::new(violation, violates);
    let mut passes = PASSES.iter();
    while let Some(pass) = passes.next() {
        if search.improves(pass) {
            passes = PASSES.iter();
        }
    }
    search.smallest
}

/// Returns a violation whose case shows it again, if there is one: the violation itself, the same
/// property with another split, or what the case shows instead.
///
/// A proof can find what only some of many empty chunks cause. A case has empty chunks everywhere or
/// nowhere, and that may show the violation of another property, or none.
fn reproduce(
    violation: &Violation,
    violates: &dyn Fn(&Case) -> Option<Violation>,
) -> Option<Violation> {
    let again = violates(&violation.case);
    let same = |found: &Violation| found.property == violation.property;
    if again.as_ref().is_some_and(same) {
        return again;
    }
    let len = violation.case.stream.len();
    let mut splits = Split::up_to(len, 2).take_while(|_| len <= SHORT);
    let other = splits.find_map(|split| {
        let case = Case {
            split,
            ..violation.case.clone()
        };
        violates(&case).filter(same)
    });
    other.or(again)
}

/// Makes a violation smaller without running the framer: a call that does not return stays as it
/// is without the bytes after it.
pub(crate) fn cut_off(mut violation: Violation) -> Violation {
    let Violation {
        property,
        offset,
        case,
        edges,
        ..
    } = &mut violation;
    if *property == Property::Progress {
        case.stream.truncate(*offset);
        let cuts = case.split.cuts().iter().copied();
        case.split = Split::new(cuts.filter(|cut| cut < offset));
        edges.retain(|edge| edge <= offset);
    }
    violation
}

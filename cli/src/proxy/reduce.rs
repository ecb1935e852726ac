//! Reduces the cuts with which a test command fails, by delta debugging.

use super::cuts::{Cut, Cuts, Stream};
use crate::Error;

/// Returns the fewest cuts found with which the command still fails: first whole connections are
/// left out, then directions, then single cuts. None that remains can be left out alone.
///
/// After an error of `fails` returns the fewest so far, with the error.
pub(super) fn reduce(
    cuts: &Cuts,
    mut fails: impl FnMut(&Cuts) -> Result<bool, Error>,
) -> (Cuts, Result<(), Error>) {
    let mut cuts: Vec<Cut> = cuts.iter().collect();
    let connection = |cut: &Cut| (cut.stream.connection, None, None);
    let direction = |cut: &Cut| (cut.stream.connection, Some(cut.stream.from), None);
    let offset = |Cut { stream, at }: &Cut| {
        let Stream { connection, from } = *stream;
        (connection, Some(from), Some(*at))
    };
    let mut result = Ok(());
    for part in [&connection as &dyn Fn(&Cut) -> _, &direction, &offset] {
        let parts: Vec<_> = cuts
            .chunk_by(|a, b| part(a) == part(b))
            .map(<[Cut]>::to_vec)
            .collect();
        let (fewest, reduced) = fewest(parts, |parts| fails(&joined(parts)));
        cuts = fewest.concat();
        if reduced.is_err() {
            result = reduced;
            break;
        }
    }
    (cuts.into_iter().collect(), result)
}

fn joined(parts: &[Vec<Cut>]) -> Cuts {
    parts.iter().flatten().copied().collect()
}

/// The algorithm `ddmin` of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
/// Input" (2002).
fn fewest<T: Clone>(
    mut items: Vec<T>,
    mut fails: impl FnMut(&[T]) -> Result<bool, Error>,
) -> (Vec<T>, Result<(), Error>) {
    let mut parts = 2;
    while items.len() >= 2 {
        let smaller = match smaller(&items, parts, &mut fails) {
            Ok(smaller) => smaller,
            Err(error) => return (items, Err(error)),
        };
        match smaller {
            Some((fewer, next)) => (items, parts) = (fewer, next),
            None if parts >= items.len() => break,
            None => parts = (parts * 2).min(items.len()),
        }
    }
    (items, Ok(()))
}

/// Looks for one of some parts that fails alone, then for one that can be left out. Returns what
/// remains, and into how many parts to divide it next.
fn smaller<T: Clone>(
    items: &[T],
    parts: usize,
    fails: &mut impl FnMut(&[T]) -> Result<bool, Error>,
) -> Result<Option<(Vec<T>, usize)>, Error> {
    let len = items.len().div_ceil(parts);
    for part in items.chunks(len) {
        if part.len() < items.len() && fails(part)? {
            return Ok(Some((part.to_vec(), 2)));
        }
    }
    // Of two parts, each is the other's rest.
    if parts == 2 {
        return Ok(None);
    }
    for start in (0..items.len()).step_by(len) {
        let end = items.len().min(start + len);
        let rest = [&items[..start], &items[end..]].concat();
        if fails(&rest)? {
            return Ok(Some((rest, (parts - 1).max(2))));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::cuts::Side;
    use super::*;

    /// Two connections, both directions of each, with cuts at 1 to 50.
    fn all() -> Cuts {
        let mut cuts = Cuts::default();
        for connection in 1..=20 {
            for from in Side::BOTH {
                for at in 1..=50 {
                    let stream = Stream { connection, from };
                    cuts.insert(Cut { stream, at });
                }
            }
        }
        cuts
    }

    fn of(text: &str) -> Cuts {
        text.parse().unwrap()
    }

    /// Every set of one and of two cuts that is needed is found, in few runs.
    #[test]
    fn finds_the_cuts_that_are_needed() {
        for (needed, max_runs) in [
            ("connection 1 client-to-server 1", 30),
            ("connection 20 server-to-client 50", 40),
            ("connection 7 client-to-server 13,14", 60),
            (
                "connection 3 client-to-server 13\nconnection 19 server-to-client 4",
                160,
            ),
        ] {
            let (needed, mut runs) = (of(needed), 0);
            let (found, result) = reduce(&all(), |cuts| {
                runs += 1;
                let tried: Vec<_> = cuts.iter().collect();
                Ok(needed.iter().all(|cut| tried.contains(&cut)))
            });
            result.unwrap();
            assert_eq!(found, needed);
            assert!(runs <= max_runs, "{runs}");
        }
    }

    #[test]
    fn an_error_keeps_the_fewest_so_far() {
        let needed = of("connection 7 client-to-server 13");
        let mut runs = 0;
        let (found, result) = reduce(&all(), |cuts| {
            runs += 1;
            if runs == 8 {
                return Err("stopped".into());
            }
            Ok(needed
                .iter()
                .all(|cut| cuts.iter().any(|tried| tried == cut)))
        });
        assert_eq!(result.unwrap_err().to_string(), "stopped");
        assert!(found.len() < all().len());
        assert!(found.iter().any(|cut| Some(cut) == needed.iter().next()));
    }
}

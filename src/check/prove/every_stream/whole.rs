//! Compares what an oracle expects of whole streams with what it expected of them byte by byte.
//!
//! It may have forgotten the frames before, and one of them may matter to a later one.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::automaton::{Automaton, Edge, Position};
use crate::case::Case;
use crate::check::isolate::isolate;
use crate::check::judge::Expectation;
use crate::door::FeedDoor;
use crate::expected::Outcome;
use crate::oracle::{End, Specification};
use crate::split::Split;

/// How many bytes of streams are compared, about.
const MOST: usize = 1 << 17;

/// The length of the streams that stand for those of any length.
const FAR: usize = 512;

/// What the oracle expects of whole streams.
pub(super) struct Whole {
    /// A stream of which it expects something else than byte by byte.
    pub(super) differs: Option<Case>,
    /// Whether it does not judge some stream that it judged byte by byte.
    pub(super) unjudged: bool,
}

/// Compares streams of the automaton: the shortest ones, and if streams of any length are proved, long
/// ones that repeat the same again and again.
pub(super) fn compare<T, O>(door: &T, automaton: &Automaton<'_, T, O>, any_length: bool) -> Whole
where
    T: FeedDoor,
    O: Specification<T>,
{
    let mut whole = Whole {
        differs: None,
        unjudged: false,
    };
    let mut paths: VecDeque<Path<'_, T>> = [Path::new()].into();
    let mut compared = 0;
    while let Some(path) = paths.pop_front()
        && compared < MOST
    {
        compared += path.len();
        whole.add(door, automaton, &path);
        if path.len() < automaton.streams.longest && paths.len() * path.len() < MOST {
            let edges = automaton.positions[end_of(&path)].edges.iter();
            paths.extend(edges.map(|edge| [&path[..], &[edge]].concat()));
        }
    }
    if any_length {
        let letters = automaton.positions.iter().map(|it| it.edges.len());
        for letter in 0..letters.max().unwrap_or(0) {
            whole.add(door, automaton, &repeated(automaton, letter));
        }
    }
    whole
}

/// A stream: the edges that it follows.
type Path<'a, T> = Vec<&'a Edge<T>>;

/// Returns the position at the end of a path.
fn end_of<T: FeedDoor>(path: &[&Edge<T>]) -> usize {
    path.last().map_or(0, |edge| edge.to)
}

/// Returns a stream that has the letter of an index at each position, or the last one there.
fn repeated<'a, T, O>(automaton: &'a Automaton<'_, T, O>, letter: usize) -> Path<'a, T>
where
    T: FeedDoor,
    O: Specification<T>,
{
    let mut path = Path::new();
    while path.len() < FAR {
        let edges = &automaton.positions[end_of(&path)].edges;
        let Some(edge) = edges.get(letter).or(edges.last()) else {
            break;
        };
        path.push(edge);
    }
    path
}

impl Whole {
    /// Compares one stream.
    fn add<T, O>(&mut self, door: &T, automaton: &Automaton<'_, T, O>, path: &Path<'_, T>)
    where
        T: FeedDoor,
        O: Specification<T>,
    {
        if self.differs.is_some() {
            return;
        }
        let stream: Vec<u8> = path.iter().map(|edge| edge.byte).collect();
        let is_same = || match automaton.oracle.expected(door, &stream)? {
            Ok(expected) => Some(is_same(automaton, path, &expected)),
            Err(_) => Some(false),
        };
        match isolate(stream.len(), is_same) {
            Ok(Some(true)) => {}
            Ok(None) => self.unjudged |= automaton.positions[end_of(path)].end.is_some(),
            // A call that gets stuck does so where the stream is replayed.
            Ok(Some(false)) | Err(_) => self.differs = Some(Case::new(stream, Split::whole())),
        }
    }
}

/// Returns whether the oracle expects of a stream what it expected on the path to its position.
fn is_same<T: FeedDoor, O: Specification<T>>(
    automaton: &Automaton<'_, T, O>,
    path: &[&Edge<T>],
    expected: &Expectation<T::Frame, T::Error>,
) -> bool {
    let after = |edge: &Edge<T>| -> &Position<T, O> { &automaton.positions[edge.to] };
    let frames = path.iter().enumerate();
    let frames = frames.flat_map(|(index, edge)| edge.frames.iter().map(move |it| (index + 1, it)));
    let rejected = path.iter().position(|edge| after(edge).at.is_err());
    let end = automaton.positions[end_of(path)].end.as_ref();
    frames.eq(expected.frames.iter().map(|(end, frame)| (*end, frame)))
        && match (&expected.outcome, rejected, end) {
            (Outcome::Rejected { at, error }, Some(index), _) => {
                *at == index + 1 && after(path[index]).at.as_ref().err() == Some(error)
            }
            (Outcome::Rejected { .. }, None, _) | (_, Some(_), _) => false,
            (_, None, None) => true,
            (outcome, None, Some(End { frames, result })) => {
                let error = match outcome {
                    Outcome::Truncated(error) => Some(error),
                    _ => None,
                };
                expected.at_end == *frames && result.as_ref().err() == error
            }
        }
}

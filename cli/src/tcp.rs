//! `everysplit tcp`: asks a live server, or replies to a live client, the same in every
//! split. What should come of it is what comes of the whole; nothing here knows a format.

mod client;
mod hostile;
mod server;
mod told;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use everysplit::check::{Cell, Property, SplitMap, Violation};
use everysplit::{Case, Split};
use regex::bytes::Regex;

use crate::args::{Reporting, Tcp};
use crate::format::Format;
use crate::process::Memory;
use crate::report::Report;
use crate::streams::{self, Stream};
use crate::{Cannot, stop};
use client::Client;
use server::Server;
use told::{Covered, Tried, excerpt, reply_from, same, told};

/// How often the whole stream is sent first.
const BASELINES: usize = 3;
/// How many random splits there are for a stream, if the budget allows.
const RANDOM: usize = 64;
/// How many splits of a stream are waited for in vain.
const WAITS: usize = 20;
/// The longest stream of which a split map is drawn.
const MAP: usize = 2000;

/// Who is under test.
trait Peer {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// What that is called which comes of a connection.
    fn answer(&self) -> &'static str;

    /// Sends a stream in a split, on a connection of its own.
    fn ask(&mut self, ask: &Ask<'_>) -> Result<Answer, Cannot>;

    /// Tells how the program ended, if it did and should not have, and starts it again.
    fn ended(&mut self) -> Result<Option<String>, Cannot>;

    /// Returns how much memory it takes, or the last one took, where that can be told.
    fn memory(&self) -> Option<Memory>;
}

/// What is sent on a connection, and how its end is known.
struct Ask<'a> {
    stream: &'a [u8],
    split: &'a Split,
    ending: Ending,
    /// How long an answer is waited for.
    patience: Duration,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Nobody knows yet: with the end of the connection, or when nothing comes any more.
    Unknown,
    /// The other end closes by itself, or ends.
    Closed,
    /// When so many bytes have come, masked; then it is told that nothing more is sent, and
    /// `closes` or not.
    Whole { length: usize, closes: bool },
    /// It answers when it is told that nothing more is sent.
    HalfClosed,
    /// It closes when it is told that nothing more is sent.
    Drained,
    /// With the first byte.
    Any,
}

/// What came of a connection.
struct Answer {
    bytes: Vec<u8>,
    /// Whether each chunk was seen to have been read before the next was sent.
    observed: bool,
    /// Whether the other end closed, or ended, by itself.
    closed: bool,
    /// Whether it was not waited for in vain.
    answered: bool,
}

/// Returns whether everything held.
pub(crate) fn run(tcp: &Tcp) -> Result<bool, Cannot> {
    let streams = gather(tcp)?;
    let mut asking = Asking::begin(tcp, &tcp.reporting)?;
    let stopped = asking.all(&streams).err();
    asking.finish(stopped)
}

/// Tries the split of a token.
pub(crate) fn replay(case: &Case, tcp: &Tcp) -> Result<bool, Cannot> {
    let streams = match gather(tcp) {
        Ok(streams) if tcp.hostile => streams,
        _ => Vec::new(),
    };
    let mut asking = Asking::begin(tcp, &tcp.reporting.replayed())?;
    let stopped = asking.again(case, &streams).err();
    asking.finish(stopped)
}

fn gather(tcp: &Tcp) -> Result<Vec<Stream>, Cannot> {
    let streams = streams::gather(&tcp.streams, |format| {
        let row = format.row(&tcp.streams.message).concat();
        vec![Stream::new("in a row", row)]
    })?;
    match streams.iter().find(|stream| stream.bytes.is_empty()) {
        Some(_) => Err("a stream is empty: give it some bytes".into()),
        None => Ok(streams),
    }
}

/// A run.
struct Asking<'a> {
    tcp: &'a Tcp,
    peer: Box<dyn Peer + 'a>,
    report: Report,
    format: Option<Format>,
    covered: Covered,
    /// When the next connection may be made.
    next: Instant,
    /// How much memory it took before anything hostile came.
    memory: Option<Memory>,
}

impl<'a> Asking<'a> {
    fn begin(tcp: &'a Tcp, reporting: &Reporting) -> Result<Self, Cannot> {
        stop::after(tcp.time);
        let report = Report::begin(reporting)?;
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let peer: Box<dyn Peer> = match (tcp.connect, tcp.port, tcp.listen) {
            (Some(address), _, _) => Box::new(Server::new(address, tcp)?),
            (_, Some(port), _) => Box::new(Server::new(at(port), tcp)?),
            (_, _, Some(port)) => Box::new(Client::new(port, tcp)?),
            _ => {
                return Err("there is nobody to test: give --connect ADDRESS, or --port PORT or --listen PORT and a command behind --".into());
            }
        };
        Ok(Self {
            tcp,
            peer,
            report,
            format: Format::of(&tcp.streams),
            covered: Covered::default(),
            next: Instant::now(),
            memory: None,
        })
    }

    /// Asks everything of each stream.
    fn all(&mut self, streams: &[Stream]) -> Result<(), Cannot> {
        let mut next = None;
        for stream in streams {
            let baseline = self.baseline(stream)?;
            self.stream(stream, &baseline)?;
            if next.is_none() && !baseline.reply.is_empty() {
                next = Some((stream, baseline));
            }
        }
        let Some(next) = next else {
            return Err(format!(
                "the {} replied to nothing: send it streams of its format",
                self.peer.name()
            )
            .into());
        };
        if self.tcp.hostile {
            self.hostile(streams, &next)?;
        }
        Ok(())
    }

    /// Asks for one split, and for what is hostile in it if it has no cuts.
    fn again(&mut self, case: &Case, streams: &[Stream]) -> Result<(), Cannot> {
        let Case { stream, split } = case;
        let found = if let (Some(right), true) = (streams.first(), split.cuts().is_empty()) {
            let baseline = self.baseline(right)?;
            self.hostile_again(stream, streams, &(right, baseline))?
        } else {
            self.report.asks([Property::EverySplit]);
            let whole = Stream::new("replayed", stream.clone());
            let baseline = self.baseline(&whole)?;
            self.differs(stream, split, &baseline, self.tcp.timeout)?
                .map(|differs| self.violation(case.clone(), differs))
        };
        match found {
            None => {
                let tried = format!("{} bytes, split {split}", stream.len());
                self.report.held("replayed", stream.len(), tried);
            }
            Some(violation) => self
                .report
                .violated("replayed", stream.len(), violation, None),
        }
        Ok(())
    }

    /// Asks for every split that the budget allows.
    fn stream(
        &mut self,
        Stream { name, bytes }: &Stream,
        baseline: &Baseline,
    ) -> Result<(), Cannot> {
        self.report.asks([Property::EverySplit]);
        let edges = self.format.map_or(Vec::new(), |format| format.edges(bytes));
        let mut tried = HashMap::from([(Split::whole(), true)]);
        let mut found: Option<(Split, Differs)> = None;
        let (mut patience, mut waits) = (self.tcp.timeout, 0);
        let mut stopped = None;
        for split in splits(bytes.len(), self.tcp) {
            if waits == WAITS {
                break;
            }
            self.report.doing(format!("{name}: split {split}"));
            let differs = match self.differs(bytes, &split, baseline, patience) {
                Ok(differs) => differs,
                // What was found until now is told all the same.
                Err(why) => {
                    stopped = Some(why);
                    break;
                }
            };
            tried.insert(split.clone(), differs.is_none());
            let Some(differs) = differs else {
                continue;
            };
            if found.is_none() {
                self.itself(name, bytes, baseline)?;
                // What is known to go wrong is waited for less.
                patience = (patience / 10).max(4 * baseline.took).min(patience);
            }
            waits += usize::from(!differs.answered);
            // The fewest cuts, and of those the most at edges.
            let size = |split: &Split| {
                let inside = split.cuts().iter().filter(|cut| !edges.contains(cut));
                (split.cuts().len(), inside.count())
            };
            if found
                .as_ref()
                .is_none_or(|(least, _)| size(&split) < size(least))
            {
                found = Some((split, differs));
            }
        }
        let Some(found) = found else {
            if let Some(why) = stopped {
                return Err(why);
            }
            let told = Tried {
                bytes: bytes.len(),
                splits: tried.into_keys().collect(),
                reply: baseline.reply.len(),
                answer: self.peer.answer(),
            };
            self.report.held(name, bytes.len(), told.to_string());
            return Ok(());
        };
        let smaller = match stopped {
            Some(why) => Err(why),
            None => self.fewer(name, bytes, found.clone(), baseline, patience),
        };
        let (found, stopped) = match smaller {
            Ok(smaller) => (smaller, Ok(())),
            Err(why) if stop::requested() => (found, Err(why)),
            // Who differs from itself is accused of nothing.
            Err(why) => return Err(why),
        };
        self.violated(name, bytes, found, &tried, &edges);
        stopped
    }

    /// Tells of a stream of which some splits have another reply.
    fn violated(
        &mut self,
        name: &str,
        stream: &[u8],
        (split, mut differs): (Split, Differs),
        tried: &HashMap<Split, bool>,
        edges: &[usize],
    ) {
        let violated = tried.values().filter(|&&held| !held).count();
        let (answer, count) = (self.peer.answer(), tried.len());
        let Differs { actual, .. } = &mut differs;
        let _ = write!(
            actual,
            "; {violated} of {count} splits have another {answer}"
        );
        let map = (2..=MAP).contains(&stream.len()).then(|| {
            SplitMap::of(stream.len(), edges, |split| match tried.get(split) {
                None => Cell::Untried,
                Some(true) => Cell::Held,
                Some(false) => Cell::Violated(Property::EverySplit),
            })
        });
        let len = stream.len();
        let stream = stream.to_vec();
        let violation = self.violation(Case { stream, split }, differs);
        self.report.violated(name, len, violation, map);
    }

    /// Leaves out the cuts that it does not take: many at once at first, then each. What does
    /// not differ each time is no violation.
    fn fewer(
        &mut self,
        name: &str,
        stream: &[u8],
        (mut split, mut differs): (Split, Differs),
        baseline: &Baseline,
        patience: Duration,
    ) -> Result<(Split, Differs), Cannot> {
        let mut some = split.cuts().len() / 2;
        // Every split of one cut has been tried, within the budget.
        while some > 0 && split.cuts().len() > 1 {
            let mut from = 0;
            while from < split.cuts().len() {
                let mut cuts = split.cuts().to_vec();
                cuts.drain(from..(from + some).min(cuts.len()));
                let fewer = Split::new(cuts);
                match self.differs(stream, &fewer, baseline, patience)? {
                    Some(again) if !fewer.cuts().is_empty() => {
                        (split, differs) = (fewer, again);
                    }
                    _ => from += some,
                }
            }
            some /= 2;
        }
        for _ in 1..BASELINES {
            if self.differs(stream, &split, baseline, patience)?.is_none() {
                let peer = self.peer.name();
                return Err(format!(
                    "the {peer}'s own replies to {name} in the split {split} differ, \"{}\" and then as when it is whole; it depends on something else too",
                    differs.actual
                )
                .into());
            }
        }
        Ok((split, differs))
    }

    /// Asks in a split; returns what differs.
    fn differs(
        &mut self,
        stream: &[u8],
        split: &Split,
        baseline: &Baseline,
        patience: Duration,
    ) -> Result<Option<Differs>, Cannot> {
        let answer = self.send(&Ask {
            stream,
            split,
            ending: baseline.ending,
            patience,
        })?;
        self.covered.splits += 1;
        self.covered.timed += u64::from(!answer.observed);
        let reply = self.masked(&answer.bytes);
        if reply == baseline.masked {
            return Ok(None);
        }
        let at = same(&baseline.masked, &reply);
        let mut actual = reply_from(&reply, at);
        // One that ends closes its connections.
        if answer.closed
            && let Some(ended) = self.peer.ended()?
        {
            let _ = write!(actual, "; {ended}");
        }
        Ok(Some(Differs {
            answered: answer.answered,
            expected: format!("as when it is whole: {}", reply_from(&baseline.masked, at)),
            actual,
        }))
    }

    fn violation(&self, case: Case, differs: Differs) -> Violation {
        let format = self.format;
        Violation {
            edges: format.map_or(Vec::new(), |format| format.edges(&case.stream)),
            ..told(Property::EverySplit, case, differs.expected, differs.actual)
        }
    }

    /// Takes what comes of a stream that is sent whole, several times.
    fn baseline(&mut self, Stream { name, bytes }: &Stream) -> Result<Baseline, Cannot> {
        self.report.doing(format!("{name}: whole"));
        let open = self.whole(bytes, Ending::Unknown)?;
        let begun = Instant::now();
        let answer = self.whole(bytes, Ending::Drained)?;
        let took = begun.elapsed();
        let masked = self.masked(&answer.bytes);
        let ending = if self.masked(&open.bytes) != masked {
            if answer.closed {
                Ending::Drained
            } else {
                Ending::HalfClosed
            }
        } else if open.closed {
            Ending::Closed
        } else {
            Ending::Whole {
                length: masked.len(),
                closes: answer.closed,
            }
        };
        let baseline = Baseline {
            reply: answer.bytes,
            masked,
            ending,
            took,
        };
        for _ in 2..BASELINES {
            self.itself(name, bytes, &baseline)?;
        }
        if let Some(ended) = self.peer.ended()? {
            return Err(format!("{ended}, when {name} was sent whole").into());
        }
        Ok(baseline)
    }

    /// Asks for the whole again: who differs from itself is under no test.
    fn itself(&mut self, name: &str, stream: &[u8], baseline: &Baseline) -> Result<(), Cannot> {
        let answer = self.whole(stream, baseline.ending)?;
        let again = self.masked(&answer.bytes);
        if again == baseline.masked {
            return Ok(());
        }
        let at = same(&again, &baseline.masked);
        let (one, other) = (excerpt(&baseline.masked, at), excerpt(&again, at));
        let peer = self.peer.name();
        Err(format!(
            "the {peer}'s own replies to {name} differ, from byte {at}: \"{one}\" and \"{other}\"; mask what does not matter with --mask"
        )
        .into())
    }

    fn whole(&mut self, stream: &[u8], ending: Ending) -> Result<Answer, Cannot> {
        let patience = self.tcp.timeout;
        self.send(&Ask {
            stream,
            split: &Split::whole(),
            ending,
            patience,
        })
    }

    /// Makes a connection, when there is time for one.
    fn send(&mut self, ask: &Ask<'_>) -> Result<Answer, Cannot> {
        let now = Instant::now();
        thread::sleep(self.next.saturating_duration_since(now));
        self.next = self.next.max(now) + Duration::from_secs(1) / self.tcp.rate;
        let answer = match stop::why() {
            None => self.peer.ask(ask),
            Some(why) => Err(why.into()),
        };
        self.covered.connections += 1;
        self.covered.time += now.elapsed();
        // What comes of a connection that is broken off is no answer.
        match stop::why() {
            Some(why) => Err(why.into()),
            None => answer,
        }
    }

    fn masked(&self, reply: &[u8]) -> Vec<u8> {
        masked(&self.tcp.mask, reply)
    }

    fn finish(self, stopped: Option<Cannot>) -> Result<bool, Cannot> {
        let stopped = stopped.map(|why| why.to_string());
        // Nothing is left running while it is told.
        drop(self.peer);
        self.report.finish(self.covered.to_string(), stopped)
    }
}

/// What comes of a stream that is sent whole.
struct Baseline {
    reply: Vec<u8>,
    masked: Vec<u8>,
    ending: Ending,
    /// How long it took.
    took: Duration,
}

/// Another reply than that to the whole.
#[derive(Clone)]
struct Differs {
    /// Whether it was not waited for in vain.
    answered: bool,
    expected: String,
    actual: String,
}

/// Byte by byte, every split of one cut, random ones, then those of two cuts, as many as
/// the budget allows.
fn splits(len: usize, tcp: &Tcp) -> impl Iterator<Item = Split> {
    let one = Split::up_to(len, 1).skip(1);
    let random = (0..RANDOM as u64).map(move |n| Split::sample(len, &[], tcp.seed.wrapping_add(n)));
    let two = Split::up_to(len, 2).filter(|split| split.cuts().len() == 2);
    let bytes = [Split::bytes(len)].into_iter();
    let mut before = HashSet::new();
    let new = move |split: &Split| !split.cuts().is_empty() && before.insert(split.clone());
    let all = bytes.chain(one).chain(random).chain(two);
    all.filter(new).take(tcp.budget.get())
}

/// Takes out what does not matter.
fn masked(masks: &[Regex], reply: &[u8]) -> Vec<u8> {
    masks.iter().fold(reply.to_vec(), |reply, mask| {
        mask.replace_all(&reply, &b"*"[..]).into_owned()
    })
}

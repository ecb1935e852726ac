//! Runs a sender that writes to a writer over one split of its output, and judges what it wrote.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::finding::{Difference, Finding};
use super::isolate::isolate;
use crate::case::{Case, Interruption};
use crate::subject::{ChunkWriter, excerpt};

/// A sender under test: each call goes on with what is not sent yet. Its error is a text.
pub(crate) type Sender = Box<dyn FnMut() -> Result<(), String>>;

/// Calls a fresh sender until it is done, or returns an error without having been blocked. Returns
/// the number of calls of `write`.
pub(crate) fn run(make: &dyn Fn(ChunkWriter) -> Sender, case: &Case) -> Result<u64, Finding> {
    let writer = ChunkWriter::new(case.clone());
    let mut sender = None;
    let result = isolate(0, || {
        let send = sender.insert(make(writer.handle()));
        loop {
            let result = send();
            // The sender correctly returns `WouldBlock` to its caller, which calls again.
            let may_block = case.interruption == Interruption::WouldBlock && result.is_err();
            if !(may_block && writer.resume()) {
                return result;
            }
        }
    });
    let (offset, calls) = (writer.accepted(), writer.calls());
    let wrong = writer.take_wrong();
    writer.end();
    let dropped = isolate(offset, || drop(sender));
    if let Some(wrong) = wrong {
        // Whatever the sender did after that is a consequence.
        return Err(wrong_bytes(&case.stream, offset, &wrong));
    }
    let result = result.map_err(|finding| finding.at(offset))?;
    judge_end(case, offset, &result)?;
    // After an error, a buffer may try again to send its rest.
    if let (Ok(()), Some(late)) = (result, writer.take_wrong()) {
        return Err(wrong_bytes(&case.stream, offset, &late));
    }
    dropped.map(|()| calls)
}

fn wrong_bytes(stream: &[u8], offset: usize, wrong: &str) -> Finding {
    let rest = stream[offset..].iter().copied();
    let expected = if offset == stream.len() {
        "no more bytes".into()
    } else {
        excerpt(rest)
    };
    Finding::new(
        Difference::Sent,
        offset,
        format!("{expected} at offset {offset}"),
        format!("{wrong} at offset {offset}"),
    )
}

/// Judges the end of a sender after the first `offset` bytes, which are correct.
fn judge_end(case: &Case, offset: usize, result: &Result<(), String>) -> Result<(), Finding> {
    let len = case.stream.len();
    let expected = if case.interruption == Interruption::WriteZero && len > 0 {
        if result.is_err() {
            return Ok(());
        }
        "an error, as the writer accepts no more bytes".into()
    } else {
        if result.is_ok() && offset == len {
            return Ok(());
        }
        format!("Ok(()) at offset {len}")
    };
    let actual = match result {
        Ok(()) => format!("Ok(()) at offset {offset}"),
        Err(error) => format!("Err({error}) at offset {offset}"),
    };
    Err(Finding::new(Difference::Sent, offset, expected, actual))
}

/// Polls a sender that writes asynchronously until it returns, once for each call.
///
/// If `dropped`, the future is dropped whenever its write is pending, and a new one is made, as
/// `select!` and timeouts do.
#[cfg(feature = "tokio")]
pub(crate) fn blocking<E: core::fmt::Debug>(
    mut send: impl AsyncFnMut() -> Result<(), E>,
    writer: ChunkWriter,
    dropped: bool,
    len: usize,
) -> impl FnMut() -> Result<(), String> {
    let mut executor = super::executor::Executor::new(len, dropped);
    move || loop {
        let future = core::pin::pin!(send());
        if let Some(result) = executor.run(future, || writer.resume()) {
            return result.map_err(|error| format!("{error:?}"));
        }
    }
}

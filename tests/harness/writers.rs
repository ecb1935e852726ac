//! Senders, correct and buggy, and a writer that accepts few bytes at once and is interrupted.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use bytes::Buf;
use everysplit::reference::{Codec, Config, Frame, naive};
use everysplit::subject::{AsyncChunkWriter, ChunkWriter};
use everysplit::{Case, Interruption, Property, Split, Tier, WriterHarness, watchdog};
use futures_sink::Sink;
use tokio::io::AsyncWrite;
use tokio_util::codec::FramedWrite;

/// Two frames: a length of one byte, then the body.
const FRAMES: &[u8] = b"\x02ok\x05hello";

/// A sender that calls `send` with the writer, and does not resume.
fn harness(send: impl Fn(&mut ChunkWriter) -> io::Result<()> + Clone + 'static) -> WriterHarness {
    WriterHarness::new(move |mut writer| {
        let send = send.clone();
        move || send(&mut writer)
    })
}

/// Writes the frames as `write_all` does, in two calls.
fn write_all(writer: &mut ChunkWriter) -> io::Result<()> {
    let (first, second) = FRAMES.split_at(3);
    writer.write_all(first)?;
    writer.write_all(second)
}

/// Each split of up to two cuts, and byte by byte, which has two cuts itself if there are three bytes.
#[test]
fn splits_and_calls_are_counted() {
    let harness = |len: usize| {
        let bytes = vec![b'x'; len];
        let sent = bytes.clone();
        (harness(move |writer| writer.write_all(&sent)), bytes)
    };
    for (len, splits, calls) in [(1, 1, 4), (2, 2, 12), (3, 4, 32), (4, 8, 80)] {
        let (harness, bytes) = harness(len);
        let certificate = harness.check(&bytes).unwrap();
        let tier = Tier::Bounded {
            cuts: 2,
            splits,
            not_proved: None,
        };
        assert_eq!(
            (certificate.tier, certificate.calls),
            (tier, calls),
            "{len}"
        );
    }
    let (longest, bytes) = harness(128);
    let tier = longest.check(&bytes).unwrap().tier;
    assert!(matches!(tier, Tier::Bounded { .. }), "{tier:?}");
    // A long output is also written whole and byte by byte.
    let (harness, bytes) = harness(129);
    let certificate = harness.check(&bytes).unwrap();
    let Tier::Sampled { seed, splits } = certificate.tier else {
        panic!("{certificate}");
    };
    let sampled = harness.sampled(&bytes, seed, splits).unwrap();
    let others = certificate.calls - sampled.calls;
    assert!((4 * 129..16 * 129).contains(&others), "{others}");
}

#[test]
fn std_writers_pass() {
    let certificate = harness(write_all).check(FRAMES).unwrap();
    assert!(
        matches!(
            certificate.tier,
            Tier::Bounded {
                cuts: 2,
                splits: 38,
                ..
            }
        ),
        "{certificate}"
    );
    assert_eq!(certificate.bytes, 9);
    for capacity in [0, 1, 4, 64] {
        WriterHarness::new(move |writer| {
            let mut writer = io::BufWriter::with_capacity(capacity, writer);
            move || {
                for frame in [&FRAMES[..3], &FRAMES[3..]] {
                    writer.write_all(frame)?;
                }
                writer.flush()
            }
        })
        .check(FRAMES)
        .unwrap();
    }
}

#[test]
fn tokio_writers_pass() {
    use tokio::io::{AsyncWriteExt, BufWriter};

    let direct = WriterHarness::new_async(|mut writer| {
        async move || {
            writer.write_all(&FRAMES[..1]).await?;
            // Writes both parts at once.
            writer
                .write_all_buf(&mut FRAMES[1..3].chain(&FRAMES[3..]))
                .await
        }
    });
    direct.check(FRAMES).unwrap();
    for capacity in [1, 4, 64] {
        WriterHarness::new_async(move |writer| {
            let mut writer = BufWriter::with_capacity(capacity, writer);
            async move || {
                writer.write_all(&FRAMES[..3]).await?;
                writer.write_all(&FRAMES[3..]).await?;
                writer.flush().await
            }
        })
        .check(FRAMES)
        .unwrap();
    }
}

/// A sender closes its direction of the connection when it is done.
#[test]
fn a_sender_may_shut_its_writer_down() {
    use tokio::io::AsyncWriteExt;

    let harness = WriterHarness::new_async(|mut writer| {
        async move || {
            writer.write_all(FRAMES).await?;
            writer.shutdown().await
        }
    });
    harness.check(FRAMES).unwrap();
}

/// Sends frames as `SinkExt::send_all` does. A frame leaves the queue when the sink takes it, so
/// that a dropped future loses none.
async fn send_all(
    sink: &mut FramedWrite<AsyncChunkWriter, Codec>,
    queue: &mut VecDeque<Frame>,
) -> io::Result<()> {
    poll_fn(|context| {
        let mut sink = Pin::new(&mut *sink);
        while !queue.is_empty() {
            ready!(Sink::<Frame>::poll_ready(sink.as_mut(), context))?;
            if let Some(frame) = queue.pop_front() {
                sink.as_mut().start_send(frame)?;
            }
        }
        Sink::<Frame>::poll_flush(sink, context)
    })
    .await
}

/// The sink owns its writer, and resumes after a future was dropped.
#[test]
fn a_framed_write_passes_and_resumes() {
    let frame = |cmd, body: &'static [u8]| Frame {
        cmd,
        recv: 0,
        body: body.into(),
    };
    let frames = VecDeque::from([frame(1, b"first"), frame(2, b""), frame(3, b"x")]);
    let config = Config::default();
    let encoded = frames.iter().map(|it| naive::encode(config, it).unwrap());
    let expected: Vec<u8> = encoded.flatten().collect();
    for boundary in [1, 16, 1024] {
        let frames = frames.clone();
        let harness = WriterHarness::new_async(move |writer| {
            let mut sink = FramedWrite::new(writer, Codec::new(config));
            sink.set_backpressure_boundary(boundary);
            let mut queue = frames.clone();
            async move || send_all(&mut sink, &mut queue).await
        });
        let certificate = harness.resumes().check(&expected).unwrap();
        assert_eq!(certificate.bytes, 42);
        let Tier::Bounded {
            cuts: 2, splits, ..
        } = certificate.tier
        else {
            panic!("{certificate}");
        };
        // None, 41 of one cut, 820 of two, and byte by byte.
        assert_eq!(splits, 863);
    }
}

/// Keeps what is not sent yet outside the call.
fn resuming() -> WriterHarness {
    WriterHarness::new(|mut writer| {
        let mut unsent = FRAMES;
        move || {
            while !unsent.is_empty() {
                match writer.write_vectored(&[IoSlice::new(&[]), IoSlice::new(unsent)]) {
                    Ok(0) => return Err(ErrorKind::WriteZero),
                    Ok(written) => unsent = &unsent[written..],
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.kind()),
                }
            }
            Ok(())
        }
    })
}

#[test]
fn a_sender_that_resumes_passes() {
    resuming().resumes().check(FRAMES).unwrap();
}

/// It returns as if it were done, and its caller does not call it again.
#[test]
fn a_sender_that_takes_would_block_for_success_is_found() {
    let make = || {
        WriterHarness::new(|mut writer| {
            let mut unsent = FRAMES;
            move || {
                while !unsent.is_empty() {
                    match writer.write(unsent) {
                        Ok(0) => return Err(ErrorKind::WriteZero),
                        Ok(written) => unsent = &unsent[written..],
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                        Err(error) => return Err(error.kind()),
                    }
                }
                Ok(())
            }
        })
    };
    let found = make().resumes().check(FRAMES).unwrap_err();
    assert_eq!(found.property, Property::Interrupted, "{found}");
    let token = found.case.to_string();
    assert_eq!(token, "026f6b0568656c6c6f@whole+would_block");
}

/// A write of no bytes sends nothing, also when the sender is dropped.
#[test]
fn a_sender_that_writes_no_bytes_at_the_end_passes() {
    struct Sender(ChunkWriter);

    impl Drop for Sender {
        fn drop(&mut self) {
            let _ = self.0.write(b"");
        }
    }

    let harness = WriterHarness::new(|writer| {
        let mut sender = Sender(writer);
        move || sender.0.write_all(FRAMES)
    });
    harness.check(FRAMES).unwrap();
}

/// It never returns to its caller, which could do something else.
#[test]
fn a_sender_that_spins_while_a_write_would_block_is_found() {
    let make = || {
        WriterHarness::new(|mut writer| {
            move || {
                let mut unsent = FRAMES;
                while !unsent.is_empty() {
                    match writer.write(unsent) {
                        Ok(0) => return Err(ErrorKind::WriteZero),
                        Ok(written) => unsent = &unsent[written..],
                        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                            return Err(error.kind());
                        }
                        Err(_) => {}
                    }
                }
                Ok(())
            }
        })
    };
    make().check(FRAMES).unwrap();
    let found = make().resumes().check(FRAMES).unwrap_err();
    assert_eq!(found.property, Property::Progress, "{found}");
    assert_eq!(found.case.interruption, Interruption::WouldBlock, "{found}");
}

/// A pending write stays pending until the sender is.
#[test]
fn a_dropped_future_that_polls_again_is_found() {
    let harness = WriterHarness::new_async(|mut writer| {
        async move || {
            let mut unsent = FRAMES;
            while !unsent.is_empty() {
                let written = poll_fn(|context| {
                    let mut poll = || Pin::new(&mut writer).poll_write(context, unsent);
                    match poll() {
                        Poll::Pending => poll(),
                        ready @ Poll::Ready(_) => ready,
                    }
                });
                match written.await? {
                    0 => return Err(ErrorKind::WriteZero.into()),
                    written => unsent = &unsent[written..],
                }
            }
            Ok::<_, io::Error>(())
        }
    });
    let found = harness.resumes().check(FRAMES).unwrap_err();
    assert_eq!(found.property, Property::Cancelled, "{found}");
}

/// `write_all` loses count when a write would block, so that it must not declare `resumes`.
#[test]
fn a_sender_that_starts_again_does_not_resume() {
    let found = harness(write_all).resumes().check(FRAMES).unwrap_err();
    assert_eq!(found.property, Property::Interrupted, "{found}");
    assert_eq!(
        found.case.to_string(),
        "026f6b0568656c6c6f@1+would_block",
        "{found}"
    );
    assert_eq!(found.offset, 1);
    assert_eq!(*found.expected, *r#""ok\x05hello" at offset 1"#);
    assert_eq!(*found.actual, *r#""\x02ok" at offset 1"#);
    let again = harness(write_all).resumes();
    assert_eq!(again.replay(&found.case.to_string()).unwrap_err(), found);
    again.replay("026f6b0568656c6c6f@1+interrupted").unwrap();
    again.replay("026f6b0568656c6c6f@1").unwrap();
}

/// The future of `write_all` holds the number of bytes that it has written.
#[test]
fn a_dropped_future_is_found() {
    let make = || {
        WriterHarness::new_async(|mut writer| {
            async move || tokio::io::AsyncWriteExt::write_all(&mut writer, FRAMES).await
        })
    };
    make().check(FRAMES).unwrap();
    let found = make().resumes().check(FRAMES).unwrap_err();
    assert_eq!(found.property, Property::Cancelled, "{found}");
    let token = found.case.to_string();
    assert_eq!(token, "026f6b0568656c6c6f@1+dropped", "{found}");
    assert_eq!(make().resumes().replay(&token).unwrap_err(), found);
}

#[track_caller]
fn assert_found(
    send: impl Fn(&mut ChunkWriter) -> io::Result<()> + Clone + 'static,
    property: Property,
    token: &str,
    (offset, expected, actual): (usize, &str, &str),
) {
    let found = harness(send.clone()).check(FRAMES).unwrap_err();
    assert_eq!(found.property, property, "{found}");
    assert_eq!(found.case.to_string(), token, "{found}");
    assert_eq!(found.offset, offset, "{found}");
    assert_eq!((&*found.expected, &*found.actual), (expected, actual));
    assert_eq!(harness(send).replay(token).unwrap_err(), found);
}

#[test]
fn an_ignored_count_is_found() {
    assert_found(
        |writer| {
            for frame in [&FRAMES[..3], &FRAMES[3..]] {
                while writer
                    .write(frame)
                    .is_err_and(|it| it.kind() == ErrorKind::Interrupted)
                {}
            }
            Ok(())
        },
        Property::Written,
        "026f6b0568656c6c6f@1",
        (
            1,
            r#""ok\x05hello" at offset 1"#,
            r#""\x05hello" at offset 1"#,
        ),
    );
}

#[test]
fn a_missing_flush_is_found() {
    assert_found(
        |writer| {
            let mut buffered = io::BufWriter::new(writer);
            buffered.write_all(FRAMES)?;
            // Unlike a drop, this writes nothing.
            let _ = buffered.into_parts();
            Ok(())
        },
        Property::Written,
        "026f6b0568656c6c6f@whole",
        (0, "Ok(()) at offset 9", "Ok(()) at offset 0"),
    );
    // A sender that is dropped with the harness flushes too late.
    let late = WriterHarness::new(|writer| {
        let mut buffered = io::BufWriter::new(writer);
        move || buffered.write_all(FRAMES)
    });
    let found = late.check(FRAMES).unwrap_err();
    assert_eq!(*found.actual, *"Ok(()) at offset 0", "{found}");
}

#[test]
fn an_interrupted_write_that_is_an_error_is_found() {
    assert_found(
        |writer| {
            let mut sent = 0;
            while sent < FRAMES.len() {
                sent += writer.write(&FRAMES[sent..])?;
            }
            Ok(())
        },
        Property::Interrupted,
        "026f6b0568656c6c6f@whole+interrupted",
        (
            0,
            "Ok(()) at offset 9",
            "Err(Kind(Interrupted)) at offset 0",
        ),
    );
}

#[test]
fn bytes_after_the_end_are_found() {
    assert_found(
        |writer| {
            write_all(writer)?;
            writer.write_all(b"!")
        },
        Property::Written,
        "026f6b0568656c6c6f@whole",
        (9, "no more bytes at offset 9", r#""!" at offset 9"#),
    );
    // Also if they come with the last bytes, and if nothing is expected.
    let found = harness(write_all).check(&FRAMES[..8]).unwrap_err();
    assert_eq!(*found.actual, *r#""o" at offset 8"#, "{found}");
    let found = harness(write_all).check(b"").unwrap_err();
    assert_eq!(found.offset, 0, "{found}");
}

/// What a call offers after the last byte is not a short write: a socket would send it.
#[test]
fn bytes_offered_with_the_last_ones_are_found() {
    fn offer(
        output: &'static [u8],
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        let buffer = [output, b"garbage"].concat();
        let mut sent = 0;
        while sent < output.len() {
            sent += match write(&buffer[sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                other => other?,
            };
        }
        Ok(())
    }
    const LONG: &[u8] = &[7; 300];
    for output in [FRAMES, LONG] {
        let plain = harness(move |writer| offer(output, |unsent| writer.write(unsent)));
        let vectored = harness(move |writer| {
            offer(output, |unsent| {
                writer.write_vectored(&[IoSlice::new(unsent), IoSlice::new(b"more")])
            })
        });
        let asynchronous = WriterHarness::new_async(move |mut writer| {
            let buffer = [output, b"garbage"].concat();
            let mut sent = 0;
            async move || {
                use tokio::io::AsyncWriteExt;

                while sent < output.len() {
                    sent += match writer.write(&buffer[sent..]).await? {
                        0 => return Err(ErrorKind::WriteZero.into()),
                        written => written,
                    };
                }
                Ok::<_, io::Error>(())
            }
        });
        for harness in [plain, vectored, asynchronous.resumes()] {
            let found = harness.check(output).unwrap_err();
            assert_eq!(found.property, Property::Written, "{found}");
            assert_eq!(found.case.split, Split::whole(), "{found}");
            assert_eq!(found.offset, output.len(), "{found}");
            assert!(found.actual.starts_with("\"garbage"), "{found}");
        }
    }
}

/// What is left in a buffer is sent when the sender is dropped.
#[test]
fn bytes_sent_by_the_drop_are_found() {
    let leaves = |left: &'static [u8]| {
        WriterHarness::new(move |writer| {
            let mut writer = io::BufWriter::new(writer);
            move || {
                writer.write_all(FRAMES)?;
                writer.flush()?;
                writer.write_all(left)
            }
        })
    };
    leaves(b"").check(FRAMES).unwrap();
    let found = leaves(b"garbage").check(FRAMES).unwrap_err();
    assert_eq!(found.property, Property::Written, "{found}");
    assert_eq!(found.offset, 9, "{found}");
    assert_eq!(*found.expected, *"no more bytes at offset 9", "{found}");
    assert_eq!(*found.actual, *"\"garbage\" at offset 9", "{found}");
}

#[test]
fn an_empty_output_is_checked() {
    let certificate = harness(|_| Ok(())).check(b"").unwrap();
    assert_eq!(certificate.bytes, 0);
    harness(|writer| writer.write(b"").map(drop))
        .check(b"")
        .unwrap();
}

/// Whether a short write loses nothing is claimed only where a write was short, or could not be.
#[test]
fn only_what_is_checked_is_claimed() {
    let written = |splits, seed| {
        let certificate = harness(write_all).sampled(FRAMES, seed, splits).unwrap();
        certificate.held.contains(&Property::Written)
    };
    let sampled = |seed| Split::sample(FRAMES.len(), &[], seed);
    let whole = (0..1000)
        .find(|&seed| sampled(seed) == Split::whole())
        .unwrap();
    let cut = (0..1000)
        .find(|&seed| sampled(seed) != Split::whole())
        .unwrap();
    assert!(!written(1, whole));
    assert!(written(1, cut));
    assert!(written(100, whole));
    for short in [&b""[..], b"a"] {
        let harness = harness(|writer| writer.write_all(short));
        for certificate in [harness.check(short), harness.sampled(short, 0, 1)] {
            let held = certificate.unwrap().held;
            assert_eq!(held, [Property::Written, Property::Progress]);
        }
    }
}

/// A write of no bytes is not a success.
#[test]
fn an_error_that_is_swallowed_is_found() {
    assert_found(
        |writer| match write_all(writer) {
            Err(error) if error.kind() == ErrorKind::WriteZero => Ok(()),
            other => other,
        },
        Property::Written,
        "026f6b0568656c6c6f@whole+write_zero",
        (
            0,
            "an error, as the writer accepts no more bytes",
            "Ok(()) at offset 0",
        ),
    );
}

#[test]
fn an_endless_loop_over_writes_of_no_bytes_is_found() {
    let found = harness(|writer| {
        let mut sent = 0;
        while sent < FRAMES.len() {
            match writer.write(&FRAMES[sent..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => sent += other?,
            }
        }
        Ok(())
    })
    .check(FRAMES)
    .unwrap_err();
    assert_eq!(found.property, Property::Progress, "{found}");
    assert_eq!(found.case.interruption, Interruption::WriteZero, "{found}");
    assert_eq!(found.case.split, Split::whole(), "{found}");
    assert!(
        found
            .actual
            .contains("1000 calls of write accepted no byte"),
        "{found}"
    );
}

/// Whatever a sender does after a wrong byte, the wrong byte is reported.
#[test]
fn a_sender_that_ignores_errors_is_found() {
    assert_found(
        |writer| {
            loop {
                let _ = writer.write_all(FRAMES);
            }
        },
        Property::Written,
        "026f6b0568656c6c6f@whole",
        (
            9,
            "no more bytes at offset 9",
            r#""\x02ok\x05hello" at offset 9"#,
        ),
    );
}

#[test]
fn a_panic_is_found() {
    let found = harness(|writer| {
        let sent = writer.write(FRAMES)?;
        assert_eq!(sent, FRAMES.len(), "a short write");
        Ok(())
    })
    .check(FRAMES)
    .unwrap_err();
    assert_eq!(found.property, Property::Progress, "{found}");
    assert_eq!(found.case.split, Split::new([1]), "{found}");
    assert_eq!(found.offset, 1);
    assert!(found.actual.contains("a short write"), "{found}");
}

#[test]
fn a_call_that_does_not_return_is_found() {
    let found = watchdog(Duration::from_millis(50), || {
        harness(|writer| {
            if writer.write(FRAMES)? < FRAMES.len() {
                loop {
                    std::thread::park();
                }
            }
            Ok(())
        })
        .check(FRAMES)
    })
    .unwrap_err();
    assert_eq!(found.property, Property::Progress, "{found}");
    assert_eq!(found.case.split, Split::new([1]), "{found}");
    assert_eq!(found.case.stream, FRAMES);
}

/// A pending write is taken for one that accepted everything.
#[test]
fn an_ignored_pending_write_is_found() {
    let make = || {
        WriterHarness::new_async(|mut writer| {
            async move || {
                let mut unsent = FRAMES;
                while !unsent.is_empty() {
                    let poll = poll_fn(|context| {
                        Poll::Ready(Pin::new(&mut writer).poll_write(context, unsent))
                    });
                    match poll.await {
                        Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                        Poll::Ready(written) => unsent = &unsent[written?..],
                        Poll::Pending => unsent = &[],
                    }
                }
                Ok::<_, io::Error>(())
            }
        })
    };
    let found = make().check(FRAMES).unwrap_err();
    assert_eq!(found.property, Property::Interrupted, "{found}");
    let token = found.case.to_string();
    assert_eq!(token, "026f6b0568656c6c6f@whole+pending");
    assert_eq!(make().replay(&token).unwrap_err(), found);
}

/// A future that is pending wakes its task, so that executors in the sender poll it again.
#[test]
fn a_pending_write_wakes_its_task() {
    let woken = Arc::new(Woken::default());
    let flag = Arc::clone(&woken);
    let harness = WriterHarness::new_async(move |mut writer| {
        let flag = Arc::clone(&flag);
        async move || {
            let waker = Waker::from(Arc::clone(&flag));
            let polled = Pin::new(&mut writer).poll_write(&mut Context::from_waker(&waker), FRAMES);
            assert!(polled.is_pending());
            tokio::io::AsyncWriteExt::write_all(&mut writer, FRAMES).await
        }
    });
    let case = Case::new(FRAMES, Split::whole()).with(Interruption::Pending);
    harness.one_split(&case).unwrap();
    assert!(woken.0.load(Ordering::Relaxed));
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A write crosses no cut, whatever it offers, and offers in whatever parts.
#[test]
fn a_write_accepts_the_bytes_up_to_the_next_cut() {
    let lengths = |vectored: bool| {
        let lengths = Rc::new(RefCell::new(Vec::new()));
        let accepted = Rc::clone(&lengths);
        let harness = WriterHarness::new(move |mut writer| {
            let accepted = Rc::clone(&accepted);
            move || {
                let mut unsent = FRAMES;
                while !unsent.is_empty() {
                    let (first, second) = unsent.split_at(1);
                    let written = if vectored {
                        writer.write_vectored(&[first, second].map(IoSlice::new))
                    } else {
                        writer.write(unsent)
                    };
                    let written = written.map_err(|error| error.kind())?;
                    accepted.borrow_mut().push(written);
                    unsent = &unsent[written..];
                }
                Ok::<_, ErrorKind>(())
            }
        });
        // A cut at the end or after it has no effect.
        let split = Split::new([2, 3, 7, 9, 20]);
        harness.one_split(&Case::new(FRAMES, split)).unwrap();
        lengths.take()
    };
    assert_eq!(lengths(false), [2, 1, 4, 2]);
    assert_eq!(lengths(true), [2, 1, 4, 2]);
}

#[test]
fn an_asynchronous_write_of_parts_accepts_the_bytes_up_to_the_next_cut() {
    use tokio::io::AsyncWriteExt;

    let lengths = Rc::new(RefCell::new(Vec::new()));
    let accepted = Rc::clone(&lengths);
    let harness = WriterHarness::new_async(move |mut writer| {
        let accepted = Rc::clone(&accepted);
        async move || {
            assert!(writer.is_write_vectored());
            let mut unsent = FRAMES;
            while !unsent.is_empty() {
                let (first, second) = unsent.split_at(1);
                let parts = [first, second].map(IoSlice::new);
                let written = writer.write_vectored(&parts).await;
                let written = written.map_err(|error| error.kind())?;
                accepted.borrow_mut().push(written);
                unsent = &unsent[written..];
            }
            Ok::<_, ErrorKind>(())
        }
    });
    harness
        .one_split(&Case::new(FRAMES, Split::new([2, 3, 7])))
        .unwrap();
    assert_eq!(lengths.take(), [2, 1, 4, 2]);
}

/// Of a long output, random splits are tried, and the violation has few cuts all the same.
#[test]
fn long_outputs_are_sampled() {
    let expected: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    let bytes = expected.clone();
    let certificate = harness(move |writer| writer.write_all(&bytes))
        .check(&expected)
        .unwrap();
    assert_eq!(
        certificate.tier,
        Tier::Sampled {
            seed: 0,
            splits: 1000
        }
    );
    assert_eq!(certificate.bytes, 10_000);
    let bytes = expected.clone();
    // After a short write it goes on with the next thousand bytes.
    let found = harness(move |writer| {
        for part in bytes.chunks(1000) {
            while writer
                .write(part)
                .is_err_and(|it| it.kind() == ErrorKind::Interrupted)
            {}
        }
        Ok(())
    })
    .check(&expected)
    .unwrap_err();
    assert_eq!(found.property, Property::Written, "{found}");
    assert_eq!(found.case.split.cuts().len(), 1, "{found}");
    assert_eq!(found.case.stream, expected);
}

#[test]
#[should_panic(expected = "WouldBlock is not an interruption of this sender")]
fn a_sender_that_does_not_resume_is_not_blocked() {
    let _ = harness(write_all).replay("61@whole+would_block");
}

#[test]
#[should_panic(expected = "no @ and split after the bytes")]
fn a_text_that_is_no_token_panics() {
    let _ = harness(write_all).replay("61");
}

#[test]
#[should_panic(expected = "`sampled` needs one split at least")]
fn no_splits_are_no_sample() {
    let _ = harness(write_all).sampled(b"a", 0, 0);
}

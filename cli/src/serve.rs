//! `everysplit serve`: a server that echoes frames, each reply split as requested.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use everysplit::Outcome;
use everysplit::Split;

use crate::Error;
use crate::options::{ReplySplit, ServeOptions};
use crate::output::{print_error, print_line};
use crate::queues::{CHUNK_DELAY, Delivery, Queues};

/// Maximum time to wait for the client to read a chunk before the next is sent.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// Time before the next client is accepted after an error, such as too many open files.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Serves clients until the program is ended.
pub(crate) fn run(options: &ServeOptions) -> Result<(), Error> {
    let port = options.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        format!("cannot listen on 127.0.0.1:{port}: {error}; choose another --port")
    })?;
    print_line(&format!("listening on {}", listener.local_addr()?))?;
    loop {
        if let Err(error) = accept(&listener, options) {
            print_error(&format!("a client was not served: {error}"));
            thread::sleep(RETRY_INTERVAL);
        }
    }
}

/// Serves the next client in a thread.
fn accept(listener: &TcpListener, options: &ServeOptions) -> io::Result<()> {
    let (socket, _) = listener.accept()?;
    let options = options.clone();
    thread::Builder::new().spawn(move || {
        // An error means that the client has gone.
        let _ = serve(socket, &options);
    })?;
    Ok(())
}

/// Echoes the frames of one client until it sends something invalid or closes.
fn serve(mut socket: TcpStream, options: &ServeOptions) -> io::Result<()> {
    let mut queues = Queues::new(socket.local_addr()?, socket.peer_addr()?);
    socket.set_nodelay(true)?;
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    for seed in options.seed.. {
        let timeout = (!buffer.is_empty()).then_some(options.max_idle);
        socket.set_read_timeout(timeout)?;
        let read = socket.read(&mut chunk)?;
        buffer.extend_from_slice(&chunk[..read]);
        let parsed = options.framing.parse(&buffer);
        let end = parsed.frames.last().map_or(0, |&(end, _)| end);
        let reply: Vec<u8> = buffer.drain(..end).collect();
        let split = match &options.split {
            ReplySplit::At(split) => split.clone(),
            ReplySplit::Bytes => Split::bytes(reply.len()),
            ReplySplit::Random => Split::sample(reply.len(), &[], seed),
        };
        for chunk in split.chunks(&reply) {
            socket.write_all(chunk)?;
            queues.sent(chunk.len());
            match queues.wait(READ_TIMEOUT, || ()) {
                Delivery::Read | Delivery::Unread => {}
                Delivery::Closed => return Ok(()),
                Delivery::Unobservable => thread::sleep(CHUNK_DELAY),
            }
        }
        if read == 0 || matches!(parsed.outcome, Outcome::Rejected { .. }) {
            return Ok(());
        }
    }
    Ok(())
}

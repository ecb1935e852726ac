//! Measures `everysplit proxy`, and checks that it loses nothing: 10 000 connections with 1 GiB,
//! and throughput side by side with a direct connection and with socat, if it is installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Number of connections of the load, and how many are open at once.
const CONNECTIONS: u32 = 10_000;
const CLIENTS: u32 = 64;
/// Bytes in each direction of each of them: 1 GiB in all.
const BYTES: u32 = (1 << 30) / (2 * CONNECTIONS) + 1;
/// MiB of the connection that measures throughput.
const STREAM: u32 = 1024;
/// Number of connections that measure the rate of short ones.
const SHORT: u32 = 2000;

fn main() {
    let echo = serve(|mut socket| {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = socket.read(&mut chunk) {
            socket.write_all(&chunk[..read]).unwrap();
        }
    });
    let mib = f64::from(CONNECTIONS) * f64::from(BYTES) * 2.0 / f64::from(1 << 20);
    println!("{CONNECTIONS} connections, {CLIENTS} at once, {mib:.0} MiB, each byte compared:\n");
    println!("| route | time | MiB/s | connections/s |");
    println!("|---|---|---|---|");
    for route in routes(echo, &["0", "10", "100"]) {
        let begun = Instant::now();
        load(route.address);
        let time = begun.elapsed().as_secs_f64();
        let rate = f64::from(CONNECTIONS) / time;
        let name = route.end();
        println!("| {name} | {time:.1} s | {:.0} | {rate:.0} |", mib / time);
    }

    let sink = serve(|mut socket| {
        let (mut chunk, mut total) = (vec![0; 256 * 1024], 0_u64);
        while let Ok(read @ 1..) = socket.read(&mut chunk) {
            total += read as u64;
        }
        socket.write_all(&total.to_be_bytes()).unwrap();
    });
    println!("\nOne connection that sends 1 GiB, and {SHORT} short ones, one after the other:\n");
    println!("| route | MiB/s | connections/s |");
    println!("|---|---|---|");
    let short = routes(echo, &["0", "1000"]);
    for (route, short) in routes(sink, &["0", "1000"]).into_iter().zip(short) {
        let begun = Instant::now();
        send(route.address);
        let rate = f64::from(STREAM) / begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        for seed in 0..SHORT {
            exchange(short.address, seed, 100);
        }
        let connections = f64::from(SHORT) / begun.elapsed().as_secs_f64();
        drop(short);
        println!("| {} | {rate:.0} | {connections:.0} |", route.end());
    }
}

/// A way to a server.
struct Route {
    name: String,
    address: SocketAddr,
    program: Option<Child>,
}

/// Returns the direct route, socat, and the proxy with some maximum numbers of cuts.
fn routes(to: SocketAddr, max_cuts: &[&str]) -> Vec<Route> {
    let direct = Route {
        name: "direct".into(),
        address: to,
        program: None,
    };
    let proxies = max_cuts.iter().map(|max_cuts| proxy(to, max_cuts));
    [direct]
        .into_iter()
        .chain(socat(to))
        .chain(proxies)
        .collect()
}

fn proxy(to: SocketAddr, max_cuts: &str) -> Route {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everysplit"));
    command.args([
        "proxy",
        "--listen",
        "0",
        "--to",
        &to.to_string(),
        "--max-cuts",
        max_cuts,
    ]);
    let mut program = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    // One line is printed now, and one at the end.
    BufReader::with_capacity(1, program.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.strip_prefix("listening on ").unwrap();
    Route {
        name: format!("everysplit proxy --max-cuts {max_cuts}"),
        address: address.split_once(',').unwrap().0.parse().unwrap(),
        program: Some(program),
    }
}

fn socat(to: SocketAddr) -> Option<Route> {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=4096");
    let mut command = Command::new("socat");
    // By default it ends half a second after one side has half-closed, and loses the rest.
    let words = ["-t60", &listen, &format!("TCP:{to}")];
    let program = command.args(words).spawn().ok();
    let Some(program) = program else {
        println!("skipped: socat is not installed");
        return None;
    };
    thread::sleep(Duration::from_millis(300));
    Some(Route {
        name: "socat".into(),
        address: ([127, 0, 0, 1], port).into(),
        program: Some(program),
    })
}

impl Route {
    /// Ends the program; returns the name of the route, with the program's summary.
    fn end(mut self) -> String {
        let mut name = std::mem::take(&mut self.name);
        let Some(program) = &mut self.program else {
            return name;
        };
        let id = program.id().to_string();
        if let Some(stdout) = &mut program.stdout {
            Command::new("kill").args(["-INT", &id]).status().unwrap();
            let mut summary = String::new();
            stdout.read_to_string(&mut summary).unwrap();
            if let Some((_, cuts)) = summary.split_once("; ") {
                name = format!("{name}: {}", cuts.split([':', ';']).next().unwrap());
            }
        }
        name
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        if let Some(program) = &mut self.program {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

/// Starts a server, which ends with this process.
fn serve(serve: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            thread::spawn(move || serve(socket));
        }
    });
    address
}

/// Makes many connections to an echo server, some at once.
fn load(address: SocketAddr) {
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                for seed in (client..CONNECTIONS).step_by(CLIENTS as usize) {
                    exchange(address, seed, BYTES);
                }
            });
        }
    });
}

/// Sends random bytes, half-closes, and compares what comes back.
fn exchange(address: SocketAddr, seed: u32, length: u32) {
    let mut random = fastrand::Rng::with_seed(seed.into());
    let mut bytes = vec![0; length as usize];
    random.fill(&mut bytes);
    let mut socket = TcpStream::connect(address).unwrap();
    let mut writer = socket.try_clone().unwrap();
    let mut reply = Vec::with_capacity(bytes.len());
    thread::scope(|scope| {
        let writing = scope.spawn(|| {
            writer.write_all(&bytes).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        socket.read_to_end(&mut reply).unwrap();
        writing.join().unwrap();
    });
    assert!(reply == bytes, "connection {seed}");
}

/// Sends a long stream, and checks that all of it arrives.
fn send(address: SocketAddr) {
    let mut socket = TcpStream::connect(address).unwrap();
    let chunk = vec![0; 1 << 20];
    for _ in 0..STREAM {
        socket.write_all(&chunk).unwrap();
    }
    socket.shutdown(Shutdown::Write).unwrap();
    let mut total = [0; 8];
    socket.read_exact(&mut total).unwrap();
    assert_eq!(u64::from_be_bytes(total), u64::from(STREAM) << 20);
}

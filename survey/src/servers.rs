//! Published servers. Each has a script in `servers/`.

use crate::program::{Kind, Program};

pub(crate) fn servers() -> Vec<Program> {
    let server = |name| Program {
        name,
        kind: Kind::Server,
        violates: &[],
    };
    vec![
        server("nginx"),
        server("apache2"),
        server("lighttpd"),
        server("haproxy"),
        server("node"),
        server("go"),
        server("cpython"),
        Program {
            violates: &["every_split"],
            ..server("bjoern")
        },
        server("redis"),
        server("memcached"),
        server("mosquitto"),
        server("unbound"),
        server("dnsmasq"),
        server("postgresql"),
    ]
}

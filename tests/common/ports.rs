//! Ports for the stations of a relay: station k listens on the first one + k.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

/// Below the ports that systems give to outgoing connections, which come and go in every row there.
const PORTS: Range<u16> = 10_240..32_768;

/// The first of `count` ports of this computer in a row that nobody listens on now.
pub fn free_row(count: u16) -> SocketAddr {
    free_row_at(&[Ipv4Addr::LOCALHOST], count)
}

/// The same, free at each of these addresses; at the first one.
pub fn free_row_at(hosts: &[Ipv4Addr], count: u16) -> SocketAddr {
    for _ in 0..200 {
        let first = fastrand::u16(PORTS.start..PORTS.end - count);
        let places = hosts.iter().flat_map(|host| (first..first + count).map(|port| (*host, port)));
        // All of them at the same time.
        let row: Result<Vec<_>, _> = places.map(TcpListener::bind).collect();
        if row.is_ok() {
            return (hosts[0], first).into();
        }
    }
    panic!("no {count} free ports in a row");
}

/// The address of station `k`.
pub fn nth(first: SocketAddr, k: u16) -> SocketAddr {
    (first.ip(), first.port() + k).into()
}

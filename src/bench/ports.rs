//! Ports for the stations of a forwarder: station k listens on the first one + k.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

/// Below the ports that systems give to outgoing connections: thousands of spectators come and go
/// there and leave no long row free.
const PORTS: Range<u16> = 10_240..32_768;

/// Rows looked at.
const ATTEMPTS: usize = 200;

/// The first of `count` ports in a row that nobody listens on now.
///
/// The forwarder's log would tell ports that it chose itself, but logs are for people.
///
/// # Errors
/// If there are none, or the system gives no socket.
pub(super) fn free_ports(count: usize) -> io::Result<SocketAddr> {
    let last = PORTS.end.saturating_sub(u16::try_from(count).unwrap_or(u16::MAX));
    for _ in 0..ATTEMPTS {
        let first = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(PORTS.start..=last)));
        if is_free(first, count)? {
            return Ok(first);
        }
    }
    Err(io::Error::new(ErrorKind::AddrInUse, format!("no {count} free ports in a row")))
}

/// Whether `count` ports from `first` on can be listened on, all at the same time.
fn is_free(first: SocketAddr, count: usize) -> io::Result<bool> {
    let row: io::Result<Vec<_>> =
        (0..count).map(|k| TcpListener::bind(station_address(first, k))).collect();
    match row {
        Ok(_) => Ok(true),
        // Windows refuses whole ranges to everybody.
        Err(error)
            if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Where station `k` listens.
pub(super) fn station_address(first: SocketAddr, k: usize) -> SocketAddr {
    let mut address = first;
    let port = usize::from(first.port()).saturating_add(k);
    address.set_port(u16::try_from(port).unwrap_or(u16::MAX));
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MAX_STATIONS;

    #[test]
    fn a_row_ends_before_the_ports_of_outgoing_connections() {
        for count in [1, 2, MAX_STATIONS] {
            let first = free_ports(count).unwrap();
            let last = station_address(first, count - 1);
            assert!(PORTS.contains(&first.port()) && PORTS.contains(&last.port()));
            assert_eq!(usize::from(last.port() - first.port()), count - 1);
        }
    }

    #[test]
    fn a_row_with_a_port_that_somebody_listens_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap();
        let before = SocketAddr::from((Ipv4Addr::LOCALHOST, taken.port() - 1));
        assert!(!is_free(taken, 1).unwrap());
        assert!(!is_free(before, 2).unwrap());
    }
}

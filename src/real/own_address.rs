//! By which address others in the network may reach a server that listens on all addresses of this machine.
//!
//! `0.0.0.0` and `::` are no addresses that one could connect to from elsewhere. Asking the routing table helps: a UDP
//! socket is *connected* to an address far away, and the kernel chooses the interface, and with it the address that a
//! datagram would be sent from. To connect a UDP socket sends nothing, and the addresses used here have no owner:
//! they are set aside for documentation (RFC 5737 §3, RFC 3849 §2).
//!
//! A machine with several interfaces has more addresses than the one found. Whether it is reachable is also for a
//! firewall, or a router that translates addresses, to say; none of them is asked.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// For a server that listens on `bound`: an address of this machine that others can try. `None` when `bound` names one
/// address already, or when this machine has a route to nowhere.
pub fn for_others(bound: SocketAddr) -> Option<SocketAddr> {
    let (any, afar): (IpAddr, IpAddr) = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => (ip.into(), IpAddr::from([192, 0, 2, 1])),
        IpAddr::V6(ip) if ip.is_unspecified() => (ip.into(), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])),
        _ => return None,
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Port 9 is "discard"; any would do.
    socket.connect((afar, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    is_for_others(own).then(|| SocketAddr::new(own, bound.port()))
}

/// A link-local address of IPv6 is useless without the name of an interface, which differs from machine to machine.
fn is_for_others(ip: IpAddr) -> bool {
    let is_link_local = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    !(ip.is_unspecified() || ip.is_loopback() || is_link_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_one_address_has_no_other() {
        for bound in ["127.0.0.1:8000", "192.0.2.7:80", "[::1]:8000"] {
            assert_eq!(for_others(bound.parse().expect("an address")), None, "{bound}");
        }
    }

    #[test]
    fn what_is_found_keeps_the_port_and_can_be_opened_from_elsewhere() {
        for bound in ["0.0.0.0:8000", "[::]:8000"] {
            // A machine without a network finds none.
            let Some(found) = for_others(bound.parse().expect("an address")) else { continue };
            assert_eq!(found.port(), 8000);
            assert!(is_for_others(found.ip()), "{found}");
        }
    }

    #[test]
    fn nobody_else_can_open_loopback_or_an_address_of_one_link() {
        for ip in ["127.0.0.1", "0.0.0.0", "::1", "::", "fe80::1"] {
            assert!(!is_for_others(ip.parse().expect("an address")), "{ip}");
        }
        for ip in ["10.0.0.5", "203.0.113.9", "2001:db8::7"] {
            assert!(is_for_others(ip.parse().expect("an address")), "{ip}");
        }
    }
}

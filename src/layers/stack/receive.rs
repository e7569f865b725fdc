//! How a frame that arrives is taken apart: ARP, packets for this host, and packets to be passed on (RFC 1122 §3.2.1,
//! RFC 1812 §5.2.1).

use std::net::Ipv4Addr;

use bytes::Bytes;

use super::ip::{Arrived, Interface, Ip};
use crate::base::{Header as _, Instant, Layer, Reader};
use crate::layers::internet::fragment::Outcome;
use crate::layers::internet::icmp::{TimeExceeded, Unreachable};
use crate::layers::internet::icmp_error;
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::ethernet::{EtherType, EthernetHeader};

impl Ip {
    /// Takes a frame apart. What it gives is for the layer above; all else (ARP, a packet to pass on, a fragment that
    /// waits for others) is done here.
    pub(super) fn frame_arrived(&mut self, now: Instant, interface: usize, bytes: &Bytes) -> Option<Arrived> {
        let mut r = Reader::new(Layer::Link, EthernetHeader::PROTOCOL, bytes);
        let header = match EthernetHeader::parse(&mut r) {
            Ok(header) => header,
            Err(error) => {
                self.discard(error.to_string());
                return None;
            }
        };
        let mac = self.interfaces[interface].mac;
        if header.destination != mac && !header.destination.is_broadcast() {
            self.discard(format!("the frame is for {}, and this is {mac}", header.destination));
            return None;
        }
        match header.ethertype {
            EtherType::ARP => self.arp_arrived(now, interface, &r),
            EtherType::IPV4 => {
                return self.packet_arrived(now, bytes, &r, !header.destination.is_broadcast());
            }
            other => self.discard(format!("no protocol here has EtherType {other}")),
        }
        None
    }

    /// RFC 826, "Packet Reception": learn from what is for us, answer what asks for us.
    fn arp_arrived(&mut self, now: Instant, interface: usize, r: &Reader<'_>) {
        let packet = match ArpPacket::parse(&mut r.enter(Layer::Link, ArpPacket::PROTOCOL)) {
            Ok(packet) => packet,
            Err(error) => return self.discard(error.to_string()),
        };
        let Interface { mac, arp, .. } = &mut self.interfaces[interface];
        let learned = arp.receive(now, &packet, self.address, *mac);
        if let Some(reply) = learned.reply {
            self.frame(interface, reply.target_mac, EtherType::ARP, |w| reply.emit(w));
        }
        for waiting in learned.ready {
            self.frame(interface, packet.sender_mac, EtherType::IPV4, |w| w.bytes(&waiting));
        }
    }

    fn packet_arrived(
        &mut self,
        now: Instant,
        frame: &Bytes,
        r: &Reader<'_>,
        unicast: bool,
    ) -> Option<Arrived> {
        let start = r.offset();
        let header = match Ipv4Header::parse(&mut r.enter(Layer::Internet, Ipv4Header::PROTOCOL)) {
            Ok(header) => header,
            Err(error) => {
                self.discard(error.to_string());
                return None;
            }
        };
        if let Some(why) = unfit(&header, unicast) {
            self.discard(why.into());
            return None;
        }
        let range = header.payload_range(start);
        let packet = frame.slice(start..range.end);
        let arrived = Arrived { offset: range.start, payload: frame.slice(range), packet, unicast, header };
        if header.destination != self.address && header.destination != Ipv4Addr::BROADCAST {
            self.pass_on(now, &arrived);
            return None;
        }
        if !header.is_fragment() {
            return Some(arrived);
        }
        match self.reassembler.accept(now, &header, arrived.payload) {
            Outcome::Complete(header, payload) => {
                // The fragment that came last has no ports to be quoted: the whole packet is put together again.
                let packet = icmp_error::quote_of(&header, &payload);
                Some(Arrived { header, payload, offset: 0, packet, unicast })
            }
            Outcome::Waiting => None,
            Outcome::Refused(refusal) => {
                self.discard(refusal.why().into());
                None
            }
        }
    }

    /// Forwarding (RFC 1812 §5.2.1): one less to live, and out again.
    fn pass_on(&mut self, now: Instant, packet: &Arrived) {
        let header = packet.header;
        if !self.forwarding {
            return self
                .discard(format!("the packet is for {}, and this is {}", header.destination, self.address));
        }
        if header.ttl <= 1 {
            self.discard("TTL reached 0".into());
            return self.time_exceeded(now, packet, TimeExceeded::Ttl);
        }
        let Some(interface) = self.interface_towards(header.destination) else {
            self.discard(format!("no route to {}", header.destination));
            return self.refuse(now, packet, Unreachable::Net);
        };
        let mtu = self.interfaces[interface].mtu;
        if header.total_len > mtu && header.dont_fragment {
            self.discard(format!("{} bytes do not fit an MTU of {mtu}, and DF is set", header.total_len));
            return self.refuse(now, packet, Unreachable::FragmentationNeeded { next_hop_mtu: mtu });
        }
        self.route(now, Ipv4Header { ttl: header.ttl - 1, ..header }, |w| w.bytes(&packet.payload));
    }
}

/// Why a packet is thrown away whoever it is for: addresses that must not appear on a wire.
fn unfit(header: &Ipv4Header, unicast: bool) -> Option<&'static str> {
    let (source, destination) = (header.source, header.destination);
    if source.is_multicast() || source.octets()[0] >= 240 {
        Some("its source is no single host (RFC 1122 §3.2.1.3)")
    } else if source.is_loopback() || destination.is_loopback() {
        Some("a loopback address outside of its host (RFC 1122 §3.2.1.3)")
    } else if !unicast && !destination.is_broadcast() {
        Some("a packet for one host in a frame for all (RFC 1122 §3.3.6)")
    } else if destination.is_multicast() {
        Some("no multicast group was joined here")
    } else {
        None
    }
}

//! How a packet leaves a host: routes, ARP, fragments. How one arrives is in `receive`.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use bytes::{Buf as _, Bytes};

use super::nic::Nic;
use super::{Outbox, Output};
use crate::base::{Duration, Header as _, Instant, Layer, Reader, Rng, Writer};
use crate::layers::internet::fragment::{self, Reassembler};
use crate::layers::internet::icmp::Unreachable;
use crate::layers::internet::icmp_error;
use crate::layers::internet::ipv4::{Ecn, Ipv4Header};
use crate::layers::internet::path_mtu::PathMtus;
use crate::layers::internet::prefix::is_limited_broadcast;
use crate::layers::internet::route::{Hop, RouteTable};
use crate::layers::internet::source_route::SourceRoute;
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::arp_cache::{Due, Resolution};
use crate::layers::link::ethernet::{self, EtherType, EthernetHeader, MacAddr};
use crate::trace::Kind;

/// The link and internet layers of one host. What they send, or report, they put into the outbox of the stack.
#[derive(Debug)]
pub(super) struct Ip {
    pub(super) nics: Vec<Nic>,
    /// The addresses of all interfaces, sorted.
    pub(super) own: Vec<IpAddr>,
    pub(super) routes: RouteTable,
    pub(super) forwarding: bool,
    /// Replies to pings. Bounded: the oldest give way.
    pub(super) pongs: VecDeque<(IpAddr, u16, u16)>,
    pub(super) reassembler: Reassembler,
    /// Paths that take smaller packets than their first link.
    pub(super) path_mtus: PathMtus,
    ttl: u8,
    identification: u16,
    pub(super) writer: Writer,
    /// The earliest time that ARP or the reassembler waits for; `None` when it must be looked for again.
    due: Option<Instant>,
}

/// A packet for this host, whole and checked.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) header: Ipv4Header,
    /// From the IP header on, without the padding of the frame: the frame's own bytes, cut and not shared once more.
    /// One put together from fragments has no header there.
    bytes: Bytes,
    /// Where in them the payload begins.
    payload_at: usize,
    /// As much as an ICMP error quotes of a packet that was put together from fragments.
    quote: Option<Bytes>,
    /// The interface it came by; of fragments, the one of the last.
    pub(super) interface: usize,
    /// Where the payload begins in the frame; 0 for a packet put together from fragments.
    pub(super) offset: usize,
    /// Whether its frame was for this host alone. Errors are never sent about others (RFC 1122 §3.2.2).
    pub(super) unicast: bool,
    /// Whether its destination is all hosts of the link.
    pub(super) broadcast: bool,
    /// The checksum of its payload is known to be right.
    pub(super) intact: bool,
}

impl Arrived {
    /// A packet with nothing but its IP header before the payload: `bytes` begin `start` bytes into the frame.
    pub(super) fn whole(header: Ipv4Header, bytes: Bytes, start: usize, interface: usize) -> Arrived {
        let payload_at = header.header_len();
        let (offset, quote) = (start + payload_at, None);
        Arrived {
            header,
            bytes,
            payload_at,
            quote,
            interface,
            offset,
            unicast: true,
            broadcast: false,
            intact: false,
        }
    }

    /// The same put together from fragments, of which this one came last.
    pub(super) fn put_together(self, header: Ipv4Header, payload: Bytes) -> Arrived {
        // The fragment that came last has no ports to be quoted.
        let quote = Some(icmp_error::quote_of(&header, &payload));
        Arrived { header, bytes: payload, payload_at: 0, quote, offset: 0, intact: false, ..self }
    }

    /// What the header announces.
    pub(super) fn payload(&self) -> &[u8] {
        &self.bytes[self.payload_at..]
    }

    /// The same, to be kept.
    pub(super) fn shared_payload(&self) -> Bytes {
        self.bytes.slice(self.payload_at..)
    }

    /// The same, taken out of a packet of which nothing but the header is needed any more.
    pub(super) fn take_payload(&mut self) -> Bytes {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.advance(std::mem::take(&mut self.payload_at));
        bytes
    }

    /// The packet from its IP header on, as much of it as an ICMP error quotes.
    pub(super) fn packet(&self) -> &Bytes {
        self.quote.as_ref().unwrap_or(&self.bytes)
    }

    /// True when it was sent to one host, and not to all of them.
    pub(super) fn is_for_one(&self) -> bool {
        self.unicast && !self.broadcast
    }
}

/// A packet to be sent, but for its payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    pub(super) dont_fragment: bool,
    /// The Differentiated Services code point.
    pub(super) dscp: u8,
    /// Whether a router may mark it.
    pub(super) ecn: Ecn,
    /// The routers that it is to pass, if any are named.
    pub(super) via: Option<&'a SourceRoute>,
    /// Length of the payload in bytes.
    pub(super) len: usize,
}

impl Ip {
    pub(super) fn new(ttl: u8, path_age: Duration, mut rng: Rng) -> Self {
        Ip {
            nics: Vec::new(),
            own: Vec::new(),
            routes: RouteTable::new(),
            forwarding: false,
            pongs: VecDeque::new(),
            reassembler: Reassembler::new(),
            path_mtus: PathMtus::new(path_age),
            ttl,
            identification: rng.next_u32() as u16,
            writer: Writer::new(),
            due: None,
        }
    }

    pub(super) fn learn_neighbour(
        &mut self,
        now: Instant,
        interface: usize,
        address: IpAddr,
        mac: MacAddr,
        out: &mut Outbox,
    ) {
        // Neighbours of IPv6 are not found by ARP.
        let IpAddr::V4(address) = address else { return };
        self.due = None;
        for packet in self.nics[interface].arp.insert_for_good(now, address, mac) {
            self.frame(interface, mac, EtherType::IPV4, |w| w.bytes(&packet), out);
        }
    }

    /// A transport hears nothing from `to`. There is one way only, so the diagnosis is to ask again who its next
    /// neighbour is (RFC 9293 §3.8.3, RFC 1122 §2.3.2.1).
    pub(super) fn doubt(&mut self, now: Instant, to: IpAddr) {
        if let Some(Hop { neighbour: IpAddr::V4(neighbour), interface }) = self.hop(to) {
            self.nics[interface].arp.doubt(now, neighbour);
        }
    }

    /// A path takes packets of `mtu` bytes, and for all that is known no larger ones. True when that is news, and less
    /// than before.
    pub(super) fn learn_path_mtu(&mut self, now: Instant, to: IpAddr, mtu: u16) -> bool {
        self.path(to).is_some_and(|path| self.path_mtus.learn(now, to, mtu, path.mtu))
    }

    // ---- a packet leaves -------------------------------------------------------------------------------------

    /// Sends one packet whose payload `emit` writes; in fragments when it is too large for the link. Without a route
    /// it is dropped.
    pub(super) fn send(
        &mut self,
        now: Instant,
        outgoing: Outgoing<'_>,
        emit: impl FnOnce(&mut Writer),
        out: &mut Outbox,
    ) {
        let Outgoing { source, destination, protocol, dont_fragment, dscp, ecn, via, len } = outgoing;
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (source, destination) else { return };
        self.identification = self.identification.wrapping_add(1);
        let header = Ipv4Header {
            identification: self.identification,
            dont_fragment,
            dscp,
            ecn,
            ttl: self.ttl,
            ..Ipv4Header::new(source, destination, protocol, len)
        };
        let header = via.map_or(header, |route| route.direct(header));
        self.route(now, header, emit, out);
    }

    /// Finds the way and sends.
    pub(super) fn route(
        &mut self,
        now: Instant,
        header: Ipv4Header,
        emit: impl FnOnce(&mut Writer),
        out: &mut Outbox,
    ) {
        if let Some(hop) = self.hop(header.destination.into()) {
            self.send_by(now, hop, header, emit, out);
        }
    }

    /// Sends by a way that is known; also used for packets that only pass through.
    pub(super) fn send_by(
        &mut self,
        now: Instant,
        hop: Hop,
        header: Ipv4Header,
        emit: impl FnOnce(&mut Writer),
        out: &mut Outbox,
    ) {
        let mtu = self.nics[hop.interface].mtu;
        let len = usize::from(header.total_len);
        if header.total_len <= mtu {
            let whole = |w: &mut Writer| {
                header.emit(w);
                emit(w);
            };
            return self.pass(now, hop, len, whole, out);
        }
        emit(&mut self.writer);
        let payload = self.writer.finish();
        match fragment::split(&header, &payload, usize::from(mtu)) {
            Ok(pieces) => {
                for (header, piece) in pieces {
                    let fragment = |w: &mut Writer| {
                        header.emit(w);
                        w.bytes(&piece);
                    };
                    self.pass(now, hop, usize::from(header.total_len), fragment, out);
                }
            }
            // A packet of this host's own never became a frame: only a note can tell.
            Err(error) => {
                let text =
                    format!("{} bytes to {} not sent: {error:?}", header.total_len, header.destination)
                        .into();
                out.push_back(Output::Trace(Kind::Note { text }));
            }
        }
    }

    /// One hop: to a neighbour whose hardware address may have to be asked for first.
    fn pass(
        &mut self,
        now: Instant,
        Hop { neighbour, interface }: Hop,
        len: usize,
        emit: impl FnOnce(&mut Writer),
        out: &mut Outbox,
    ) {
        let IpAddr::V4(next_hop) = neighbour else { return };
        let known = if is_limited_broadcast(neighbour) || self.nics[interface].is_subnet_broadcast(next_hop) {
            Some(MacAddr::BROADCAST)
        } else {
            self.nics[interface].arp.lookup(now, next_hop)
        };
        if let Some(mac) = known {
            self.writer.reserve(ethernet::HEADER_LEN + len);
            return self.frame(interface, mac, EtherType::IPV4, emit, out);
        }
        emit(&mut self.writer);
        let packet = self.writer.finish();
        self.due = None;
        match self.nics[interface].arp.resolve(now, next_hop, packet) {
            Resolution::Send { mac, packet } => {
                self.frame(interface, mac, EtherType::IPV4, |w| w.bytes(&packet), out);
            }
            Resolution::Ask => self.ask(interface, next_hop, out),
            Resolution::Wait { dropped: None } => {}
            Resolution::Wait { dropped: Some(_) } | Resolution::Full { .. } => {
                // It never became a frame, so only a note can tell.
                let text =
                    format!("a packet was dropped: too many wait for an ARP answer from {next_hop}").into();
                out.push_back(Output::Trace(Kind::Note { text }));
            }
        }
    }

    /// Broadcasts an ARP request for an address.
    fn ask(&mut self, interface: usize, who: Ipv4Addr, out: &mut Outbox) {
        // An asker without an address is a probe (RFC 5227 §2.1.1).
        let own = match self.address_towards(interface, who.into()) {
            Some(IpAddr::V4(own)) => own,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        let request = ArpPacket::request(self.nics[interface].mac, own, who);
        self.frame(interface, MacAddr::BROADCAST, EtherType::ARP, |w| request.emit(w), out);
    }

    /// Puts a frame together in one go and hands it out.
    pub(super) fn frame(
        &mut self,
        interface: usize,
        to: MacAddr,
        ethertype: EtherType,
        emit: impl FnOnce(&mut Writer),
        out: &mut Outbox,
    ) {
        let source = self.nics[interface].mac;
        EthernetHeader { destination: to, source, ethertype }.emit(&mut self.writer);
        emit(&mut self.writer);
        ethernet::pad_to_minimum(&mut self.writer, 0);
        let bytes = self.writer.finish();
        self.nics[interface].unpolled += bytes.len();
        out.push_back(Output::Frame { interface, bytes });
    }

    // ---- time ------------------------------------------------------------------------------------------------

    /// When something is due next. Asked after every input, and so kept until something may have changed it.
    pub(super) fn deadline(&mut self) -> Instant {
        *self.due.get_or_insert_with(|| {
            let arp = self.nics.iter().filter_map(|nic| nic.arp.deadline());
            arp.chain(self.reassembler.deadline()).min().unwrap_or(Instant::NEVER)
        })
    }

    /// Something that waits for a time has come or gone.
    pub(super) fn deadline_may_have_changed(&mut self) {
        self.due = None;
    }

    /// Does what is due. Returns packets of this host's own that no neighbour took: their sockets get an error.
    pub(super) fn wake(&mut self, now: Instant, out: &mut Outbox) -> Vec<Bytes> {
        let mut undelivered = Vec::new();
        if self.deadline() > now {
            return undelivered;
        }
        self.due = None;
        for interface in 0..self.nics.len() {
            for due in self.nics[interface].arp.expire(now) {
                match due {
                    Due::Ask(ip) => self.ask(interface, ip, out),
                    Due::GiveUp { ip, packets } => {
                        undelivered.extend(self.nobody_answered(now, (interface, ip), packets, out));
                    }
                }
            }
        }
        for expired in self.reassembler.expire(now) {
            self.reassembly_expired(now, &expired, out);
        }
        undelivered
    }

    /// No station has that address. A router reports it to the senders of the packets that waited (RFC 1812 §5.2.7.1,
    /// host unreachable); those of this host's own are returned.
    fn nobody_answered(
        &mut self,
        now: Instant,
        (interface, who): (usize, Ipv4Addr),
        packets: Vec<Bytes>,
        out: &mut Outbox,
    ) -> Vec<Bytes> {
        let text = format!("no answer for {who}: {} packets given up", packets.len()).into();
        out.push_back(Output::Trace(Kind::Note { text }));
        let mut own = Vec::new();
        for packet in packets {
            let mut r = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &packet);
            let Ok(header) = Ipv4Header::parse(&mut r) else { continue };
            if self.is_own(header.source) {
                own.push(packet);
            } else {
                let arrived = Arrived::whole(header, packet, 0, interface);
                self.refuse(now, &arrived, Unreachable::Host, out);
            }
        }
        own
    }
}

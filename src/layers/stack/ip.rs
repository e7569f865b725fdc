//! How a packet leaves a host: interfaces, routes, ARP, fragments. How one arrives is in `receive`.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use bytes::Bytes;

use super::{Outbox, Output};
use crate::base::{Header as _, Instant, Layer, Reader, Rng, Writer};
use crate::layers::internet::fragment::{self, Reassembler};
use crate::layers::internet::icmp::Unreachable;
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::internet::route::{Hop, NextHop, Prefix, Route, RouteTable};
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::arp_cache::{ArpCache, Due, Resolution};
use crate::layers::link::ethernet::{self, EtherType, EthernetHeader, MacAddr};
use crate::trace::Kind;

/// The link and internet layers of one host.
#[derive(Debug)]
pub(super) struct Ip {
    pub(super) address: Ipv4Addr,
    pub(super) interfaces: Vec<Interface>,
    pub(super) forwarding: bool,
    /// What the whole stack wants to be polled for.
    pub(super) out: Outbox,
    /// Replies to pings. Bounded: the oldest give way.
    pub(super) pongs: VecDeque<(Ipv4Addr, u16, u16)>,
    routes: RouteTable,
    pub(super) reassembler: Reassembler,
    ttl: u8,
    identification: u16,
    writer: Writer,
}

/// One interface of a host.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) mac: MacAddr,
    pub(super) mtu: u16,
    /// Bytes that wait on the link, as it last said.
    pub(super) backlog: usize,
    /// Bytes in frames that wait to be polled.
    pub(super) unpolled: usize,
    /// Who is at which hardware address; packets wait here for an answer, as the cache's own limit allows.
    pub(super) arp: ArpCache<Bytes>,
}

/// A packet for this host, whole and checked.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) header: Ipv4Header,
    /// What the header announces, without the padding of the frame.
    pub(super) payload: Bytes,
    /// Where the payload begins in the frame; 0 for a packet put together from fragments.
    pub(super) offset: usize,
    /// The packet from its IP header on, as much of it as an ICMP error quotes.
    pub(super) packet: Bytes,
    /// Whether its frame was for this host alone. Errors are never sent about others (RFC 1122 §3.2.2).
    pub(super) unicast: bool,
}

impl Arrived {
    /// True when it was sent to one host, and not to all of them.
    pub(super) fn is_for_one(&self) -> bool {
        self.unicast && !self.header.destination.is_broadcast()
    }
}

/// A packet to be sent, but for its payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing {
    pub(super) destination: Ipv4Addr,
    pub(super) protocol: u8,
    pub(super) dont_fragment: bool,
    /// Length of the payload in bytes.
    pub(super) len: usize,
}

impl Ip {
    pub(super) fn new(address: Ipv4Addr, ttl: u8, mut rng: Rng) -> Self {
        Ip {
            address,
            interfaces: Vec::new(),
            forwarding: false,
            out: VecDeque::new(),
            pongs: VecDeque::new(),
            routes: RouteTable::new(),
            reassembler: Reassembler::new(),
            ttl,
            identification: rng.next_u32() as u16,
            writer: Writer::new(),
        }
    }

    pub(super) fn add_interface(&mut self, mac: MacAddr, mtu: u16) -> usize {
        let number = self.interfaces.len();
        self.interfaces.push(Interface { mac, mtu, backlog: 0, unpolled: 0, arp: ArpCache::default() });
        // The limited broadcast has no interface of its own (RFC 1122 §3.3.6): the first one serves.
        if number == 0 {
            self.add_route(Prefix::host(Ipv4Addr::BROADCAST), number, None);
        }
        number
    }

    pub(super) fn add_route(&mut self, prefix: Prefix, interface: usize, via: Option<Ipv4Addr>) {
        let next_hop = via.map_or(NextHop::OnLink, NextHop::Via);
        self.routes.add(Route { prefix, next_hop, interface });
    }

    pub(super) fn learn_neighbour(
        &mut self,
        now: Instant,
        interface: usize,
        address: Ipv4Addr,
        mac: MacAddr,
    ) {
        for packet in self.interfaces[interface].arp.insert_for_good(now, address, mac) {
            self.frame(interface, mac, EtherType::IPV4, |w| w.bytes(&packet));
        }
    }

    pub(super) fn has_route(&self, to: Ipv4Addr) -> bool {
        self.interface_towards(to).is_some()
    }

    /// The interface by which packets for `to` leave. None does for this host itself: there is no loopback here.
    pub(super) fn interface_towards(&self, to: Ipv4Addr) -> Option<usize> {
        self.routes.lookup(to).filter(|_| to != self.address).map(|hop| hop.interface)
    }

    /// The largest packet that can leave towards `to` in one piece.
    pub(super) fn mtu_towards(&self, to: Ipv4Addr) -> Option<u16> {
        self.interface_towards(to).map(|interface| self.interfaces[interface].mtu)
    }

    /// Says that what came in last was refused.
    pub(super) fn discard(&mut self, why: String) {
        self.out.push_back(Output::Discarded(why));
    }

    // ---- a packet leaves -------------------------------------------------------------------------------------

    /// Sends one packet whose payload `emit` writes; in fragments when it is too large for the link. Without a route
    /// it is gone.
    pub(super) fn send(&mut self, now: Instant, outgoing: Outgoing, emit: impl FnOnce(&mut Writer)) {
        let Outgoing { destination, protocol, dont_fragment, len } = outgoing;
        self.identification = self.identification.wrapping_add(1);
        let header = Ipv4Header {
            identification: self.identification,
            dont_fragment,
            ttl: self.ttl,
            ..Ipv4Header::new(self.address, destination, protocol, len)
        };
        self.route(now, header, emit);
    }

    /// Finds the way and sends; also used for packets that only pass through.
    pub(super) fn route(&mut self, now: Instant, header: Ipv4Header, emit: impl FnOnce(&mut Writer)) {
        let Some(Hop { neighbour, interface }) = self.routes.lookup(header.destination) else { return };
        let mtu = self.interfaces[interface].mtu;
        if header.total_len <= mtu {
            return self.hop(now, interface, neighbour, usize::from(header.total_len), |w| {
                header.emit(w);
                emit(w);
            });
        }
        emit(&mut self.writer);
        let payload = self.writer.finish();
        match fragment::split(&header, &payload, usize::from(mtu)) {
            Ok(pieces) => {
                for (header, piece) in pieces {
                    self.hop(now, interface, neighbour, usize::from(header.total_len), |w| {
                        header.emit(w);
                        w.bytes(&piece);
                    });
                }
            }
            // A packet of this host's own never became a frame: only a note can tell.
            Err(error) => {
                let text =
                    format!("{} bytes to {} not sent: {error:?}", header.total_len, header.destination)
                        .into();
                self.out.push_back(Output::Trace(Kind::Note { text }));
            }
        }
    }

    /// One hop: to a neighbour whose hardware address may have to be asked for first.
    fn hop(
        &mut self,
        now: Instant,
        interface: usize,
        next_hop: Ipv4Addr,
        len: usize,
        emit: impl FnOnce(&mut Writer),
    ) {
        let known = match next_hop {
            Ipv4Addr::BROADCAST => Some(MacAddr::BROADCAST),
            _ => self.interfaces[interface].arp.lookup(now, next_hop),
        };
        if let Some(mac) = known {
            self.writer.reserve(ethernet::HEADER_LEN + len);
            return self.frame(interface, mac, EtherType::IPV4, emit);
        }
        emit(&mut self.writer);
        let packet = self.writer.finish();
        match self.interfaces[interface].arp.resolve(now, next_hop, packet) {
            Resolution::Send { mac, packet } => {
                self.frame(interface, mac, EtherType::IPV4, |w| w.bytes(&packet));
            }
            Resolution::Ask => self.ask(interface, next_hop),
            Resolution::Wait { dropped } => self.gave_way(dropped.is_some(), next_hop),
            Resolution::Full { .. } => self.gave_way(true, next_hop),
        }
    }

    /// A packet that waited for an answer was dropped: it never became a frame, so only a note can tell.
    fn gave_way(&mut self, dropped: bool, next_hop: Ipv4Addr) {
        if dropped {
            let text =
                format!("a packet was dropped: too many wait for an ARP answer from {next_hop}").into();
            self.out.push_back(Output::Trace(Kind::Note { text }));
        }
    }

    /// Broadcasts the question who has an address.
    fn ask(&mut self, interface: usize, who: Ipv4Addr) {
        let request = ArpPacket::request(self.interfaces[interface].mac, self.address, who);
        self.frame(interface, MacAddr::BROADCAST, EtherType::ARP, |w| request.emit(w));
    }

    /// Puts a frame together in one go and hands it out.
    pub(super) fn frame(
        &mut self,
        interface: usize,
        to: MacAddr,
        ethertype: EtherType,
        emit: impl FnOnce(&mut Writer),
    ) {
        let source = self.interfaces[interface].mac;
        EthernetHeader { destination: to, source, ethertype }.emit(&mut self.writer);
        emit(&mut self.writer);
        ethernet::pad_to_minimum(&mut self.writer, 0);
        let bytes = self.writer.finish();
        self.interfaces[interface].unpolled += bytes.len();
        self.out.push_back(Output::Frame { interface, bytes });
    }

    /// Bytes that wait to leave by an interface, wherever they wait.
    pub(super) fn waiting(&self, interface: usize) -> usize {
        self.interfaces[interface].backlog + self.interfaces[interface].unpolled
    }

    // ---- time ------------------------------------------------------------------------------------------------

    pub(super) fn deadline(&self) -> Instant {
        let arp = self.interfaces.iter().filter_map(|interface| interface.arp.deadline());
        arp.chain(self.reassembler.deadline()).min().unwrap_or(Instant::NEVER)
    }

    /// Does what is due. Gives back packets of this host's own that no neighbour took: their sockets are to be told.
    pub(super) fn wake(&mut self, now: Instant) -> Vec<Bytes> {
        let mut undelivered = Vec::new();
        for interface in 0..self.interfaces.len() {
            for due in self.interfaces[interface].arp.expire(now) {
                match due {
                    Due::Ask(ip) => self.ask(interface, ip),
                    Due::GiveUp { ip, packets } => {
                        undelivered.extend(self.nobody_answered(now, ip, packets));
                    }
                }
            }
        }
        for expired in self.reassembler.expire(now) {
            self.reassembly_expired(now, &expired);
        }
        undelivered
    }

    /// Nobody has that address. A router tells the senders of the packets that waited (RFC 1812 §5.2.7.1,
    /// host unreachable); those of this host's own are given back.
    fn nobody_answered(&mut self, now: Instant, who: Ipv4Addr, packets: Vec<Bytes>) -> Vec<Bytes> {
        let text = format!("nobody answers for {who}: {} packets given up", packets.len()).into();
        self.out.push_back(Output::Trace(Kind::Note { text }));
        let mut own = Vec::new();
        for packet in packets {
            let mut r = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &packet);
            let Ok(header) = Ipv4Header::parse(&mut r) else { continue };
            if header.source == self.address {
                own.push(packet);
            } else {
                let payload = packet.slice(header.payload_range(0));
                let arrived = Arrived { header, payload, offset: 0, packet, unicast: true };
                self.refuse(now, &arrived, Unreachable::Host);
            }
        }
        own
    }
}

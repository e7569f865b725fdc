//! How a frame that arrives is taken apart: ARP, packets for this host, and packets to be passed on (RFC 1122 §3.2.1,
//! RFC 1812 §5.2.1).

use std::net::{IpAddr, Ipv4Addr};

use bytes::{Buf as _, Bytes};

use super::ip::{Arrived, Ip};
use super::nic::Nic;
use super::{Outbox, Output};
use crate::base::{Header as _, Instant, Layer, Reader};
use crate::layers::internet::fragment::Outcome;
use crate::layers::internet::icmp::{TimeExceeded, Unreachable};
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::internet::source_route;
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::ethernet::{EtherType, EthernetHeader};

/// A frame that has arrived.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) interface: usize,
    pub(super) bytes: Bytes,
    /// The checksums in it are known to be right.
    pub(super) intact: bool,
}

impl Ip {
    /// Takes a frame apart. What it gives is for the layer above; all else (ARP, a packet to pass on, a fragment that
    /// waits for others) is done here.
    pub(super) fn frame_arrived(&mut self, now: Instant, frame: Frame, out: &mut Outbox) -> Option<Arrived> {
        match self.take_apart(now, frame, out) {
            Ok(arrived) => arrived,
            Err(why) => {
                out.push_back(Output::Discarded(why));
                None
            }
        }
    }

    /// The same; why it is refused is for the caller to say.
    fn take_apart(
        &mut self,
        now: Instant,
        frame: Frame,
        out: &mut Outbox,
    ) -> Result<Option<Arrived>, String> {
        let interface = frame.interface;
        let mut r = Reader::new(Layer::Link, EthernetHeader::PROTOCOL, &frame.bytes);
        let header = EthernetHeader::parse(&mut r).map_err(|error| error.to_string())?;
        let mac = self.nics[interface].mac;
        if header.destination != mac && !header.destination.is_broadcast() {
            return Err(format!("the frame is for {}, and this is {mac}", header.destination));
        }
        match header.ethertype {
            EtherType::ARP => self.arp_arrived(now, interface, &r, out).map(|()| None),
            EtherType::IPV4 => {
                let start = r.offset();
                self.packet_arrived(now, frame, start, !header.destination.is_broadcast(), out)
            }
            other => Err(format!("no protocol here has EtherType {other}")),
        }
    }

    /// RFC 826, "Packet Reception": learn from what is for us, answer what asks for us.
    fn arp_arrived(
        &mut self,
        now: Instant,
        interface: usize,
        r: &Reader<'_>,
        out: &mut Outbox,
    ) -> Result<(), String> {
        let packet = ArpPacket::parse(&mut r.enter(Layer::Link, ArpPacket::PROTOCOL));
        let packet = packet.map_err(|error| error.to_string())?;
        let ours = [packet.target_ip, packet.sender_ip].map(|ip| (ip, self.answers_for(interface, ip)));
        let is_ours = |asked| ours.contains(&(asked, true));
        let Nic { mac, arp, .. } = &mut self.nics[interface];
        let learned = arp.receive(now, &packet, is_ours, *mac);
        if !learned.ready.is_empty() {
            // A question was answered. Nothing else that ARP learns has a deadline, and to look for the next one takes a
            // router of thousands of interfaces long.
            self.deadline_may_have_changed();
        }
        if let Some(reply) = learned.reply {
            self.frame(interface, reply.target_mac, EtherType::ARP, |w| reply.emit(w), out);
        }
        for waiting in learned.ready {
            self.frame(interface, packet.sender_mac, EtherType::IPV4, |w| w.bytes(&waiting), out);
        }
        Ok(())
    }

    fn packet_arrived(
        &mut self,
        now: Instant,
        Frame { interface, mut bytes, intact }: Frame,
        start: usize,
        unicast: bool,
        out: &mut Outbox,
    ) -> Result<Option<Arrived>, String> {
        let parse = if intact { Ipv4Header::parse_intact } else { Ipv4Header::parse };
        let mut r = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &bytes[start..]).starting_at(start);
        let header = parse(&mut r).map_err(|error| error.to_string())?;
        let broadcast = self.is_broadcast(interface, header.destination);
        if let Some(why) = self.unfit(interface, &header, unicast, broadcast) {
            return Err(why.into());
        }
        bytes.truncate(header.payload_range(start).end);
        bytes.advance(start);
        let mut arrived = Arrived::whole(header, bytes, start, interface);
        (arrived.unicast, arrived.broadcast, arrived.intact) = (unicast, broadcast, intact);
        if !broadcast && !self.is_own(header.destination) {
            return self.pass_on(now, &arrived, out).map(|()| None);
        }
        if let Some(next) = source_route::forward(&header, |next| self.address_of_exit(next)) {
            if !self.forwarding {
                self.refuse(now, &arrived, Unreachable::SourceRouteFailed, out);
                return Err("its source route goes on, and this is no router (RFC 1122 §3.3.5)".into());
            }
            arrived.header = next;
            return self.pass_on(now, &arrived, out).map(|()| None);
        }
        if !header.is_fragment() {
            return Ok(Some(arrived));
        }
        self.deadline_may_have_changed();
        match self.reassembler.accept(now, &header, arrived.shared_payload()) {
            Outcome::Complete(header, payload) => Ok(Some(arrived.put_together(header, payload))),
            Outcome::Waiting => Ok(None),
            Outcome::Refused(refusal) => Err(refusal.why().into()),
        }
    }

    /// The address by which a packet to a neighbour or beyond leaves, to be recorded in its source route (RFC 791 §3.1).
    fn address_of_exit(&self, next: Ipv4Addr) -> Ipv4Addr {
        match self.path(next.into()).map(|path| path.source) {
            Some(IpAddr::V4(own)) => own,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }

    /// Forwarding (RFC 1812 §5.2.1): one less to live, and out again.
    fn pass_on(&mut self, now: Instant, packet: &Arrived, out: &mut Outbox) -> Result<(), String> {
        let header = packet.header;
        if !self.forwarding {
            let own = self.first_address(header.destination.into());
            let this = own.map_or_else(|| "a host without an address".into(), |own| own.to_string());
            return Err(format!("the packet is for {}, and this is {this}", header.destination));
        }
        if header.ttl <= 1 {
            out.push_back(Output::Discarded("TTL reached 0".into()));
            self.time_exceeded(now, packet, TimeExceeded::Ttl, out);
            return Ok(());
        }
        let Some(hop) = self.hop(header.destination.into()) else {
            out.push_back(Output::Discarded(format!("no route to {}", header.destination)));
            self.refuse(now, packet, Unreachable::Net, out);
            return Ok(());
        };
        let mtu = self.nics[hop.interface].mtu;
        if header.total_len > mtu && header.dont_fragment {
            let why = format!("{} bytes do not fit an MTU of {mtu}, and DF is set", header.total_len);
            out.push_back(Output::Discarded(why));
            self.refuse(now, packet, Unreachable::FragmentationNeeded { next_hop_mtu: mtu }, out);
            return Ok(());
        }
        let header = Ipv4Header { ttl: header.ttl - 1, ..header };
        self.send_by(now, hop, header, |w| w.bytes(packet.payload()), out);
        Ok(())
    }

    /// Why a packet is dropped whatever its destination: addresses that must not appear on a wire.
    fn unfit(
        &self,
        interface: usize,
        header: &Ipv4Header,
        unicast: bool,
        broadcast: bool,
    ) -> Option<&'static str> {
        let (source, destination) = (header.source, header.destination);
        // A host that asks for its address has none yet (§3.2.1.3 (a)), and asks all hosts.
        let has_none_yet = source.is_unspecified() && destination.is_broadcast();
        let this_network = source.octets()[0] == 0 && !has_none_yet;
        if source.is_multicast()
            || source.octets()[0] >= 240
            || this_network
            || self.nics[interface].is_subnet_broadcast(source)
        {
            Some("its source is no single host (RFC 1122 §3.2.1.3)")
        } else if source.is_loopback() || destination.is_loopback() {
            Some("a loopback address outside of its host (RFC 1122 §3.2.1.3)")
        } else if self.is_own(source) {
            Some("its source is this host's own address (RFC 1122 §3.2.1.3)")
        } else if !unicast && !broadcast {
            Some("a packet for one host in a frame for all (RFC 1122 §3.3.6)")
        } else if destination.is_multicast() {
            Some("no multicast group was joined here")
        } else {
            None
        }
    }
}

//! Echo, and the errors that a host sends and receives (RFC 792, RFC 1122 §3.2.2).

use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::Bytes;

use super::ip::{Arrived, Ip, Outgoing};
use super::{SendError, Stack};
use crate::base::{Header as _, Instant, Layer, Reader};
use crate::layers::internet::fragment::Expired;
use crate::layers::internet::icmp::{IcmpHeader, IcmpMessage, TimeExceeded, Unreachable};
use crate::layers::internet::icmp_error;
use crate::layers::internet::ipv4::{Ipv4Header, protocol};
use crate::layers::internet::route::Prefix;
use crate::layers::transport::tcp::{IcmpError, SeqNumber};

/// How many replies to pings are kept; the oldest gives way.
const MAX_PONGS: usize = 64;

impl Stack {
    /// An ICMP message for this host: an echo is answered, an error goes to the socket that it is about.
    pub(super) fn icmp_arrived(&mut self, now: Instant, packet: &Arrived) {
        let message = match IcmpMessage::parse(&packet.payload, packet.offset) {
            Ok(message) => message,
            Err(error) => return self.ip.discard(error.to_string()),
        };
        if let Some(reply) = message.echo_reply() {
            return self.ip.send_icmp(now, packet.header.source, &reply);
        }
        match message.header {
            IcmpHeader::EchoReply { identifier, sequence } => {
                if self.ip.pongs.len() == MAX_PONGS {
                    self.ip.pongs.pop_front();
                }
                self.ip.pongs.push_back((packet.header.source, identifier, sequence));
            }
            IcmpHeader::Unreachable(why) => self.tell_the_sender(now, &message, Some(why)),
            IcmpHeader::TimeExceeded(_) | IcmpHeader::ParameterProblem { .. } => {
                self.tell_the_sender(now, &message, None);
            }
            // RFC 1122 §3.2.2: an unknown type is discarded in silence. An echo request was answered above.
            IcmpHeader::EchoRequest { .. } | IcmpHeader::Other { .. } => {}
        }
    }

    /// Finds the socket that sent the quoted packet. Eight bytes of its payload are quoted at least (RFC 792): enough
    /// for the ports, and for TCP's sequence number.
    fn tell_the_sender(&mut self, now: Instant, message: &IcmpMessage, why: Option<Unreachable>) {
        let mut r = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &message.payload);
        let Ok(quoted) = Ipv4Header::parse_quoted(&mut r) else { return };
        let (Ok(local_port), Ok(remote_port), Ok(seq)) =
            (r.u16("source port"), r.u16("port"), r.u32("sequence"))
        else {
            return;
        };
        if quoted.source != self.ip.address {
            return;
        }
        let remote = SocketAddrV4::new(quoted.destination, remote_port);
        match quoted.protocol {
            protocol::UDP => self.udp.unreachable(local_port, remote, &mut self.ip),
            protocol::TCP => {
                let error = match why {
                    Some(Unreachable::FragmentationNeeded { next_hop_mtu }) => {
                        IcmpError::PacketTooBig(next_hop_mtu)
                    }
                    Some(why) if why.is_hard() => IcmpError::Hard,
                    _ => IcmpError::Soft,
                };
                self.tcp.icmp(now, local_port, remote, (error, SeqNumber(seq)), &mut self.ip);
            }
            _ => {}
        }
    }
}

impl Ip {
    pub(super) fn ping(
        &mut self,
        now: Instant,
        to: Ipv4Addr,
        identifier: u16,
        sequence: u16,
        payload: Bytes,
    ) -> Result<(), SendError> {
        if !self.has_route(to) {
            return Err(SendError::NoRoute);
        }
        let header = IcmpHeader::EchoRequest { identifier, sequence };
        self.send_icmp(now, to, &IcmpMessage { header, payload });
        Ok(())
    }

    /// Tells the sender of a packet that it cannot be delivered, if that may be said at all.
    pub(super) fn refuse(&mut self, now: Instant, packet: &Arrived, why: Unreachable) {
        self.report(now, packet, IcmpHeader::Unreachable(why));
    }

    /// No layer above has that protocol.
    pub(super) fn refuse_protocol(&mut self, now: Instant, packet: &Arrived) {
        self.discard(format!("no protocol here has the number {}", packet.header.protocol));
        self.refuse(now, packet, Unreachable::Protocol);
    }

    pub(super) fn time_exceeded(&mut self, now: Instant, packet: &Arrived, why: TimeExceeded) {
        self.report(now, packet, IcmpHeader::TimeExceeded(why));
    }

    /// Fragments did not all come in time. Only who has the first one may be told (RFC 792).
    pub(super) fn reassembly_expired(&mut self, now: Instant, expired: &Expired) {
        if let Some(quote) = &expired.first {
            let header = IcmpHeader::TimeExceeded(TimeExceeded::Reassembly);
            self.send_icmp(now, expired.source, &IcmpMessage { header, payload: quote.clone() });
        }
    }

    fn report(&mut self, now: Instant, packet: &Arrived, header: IcmpHeader) {
        let subnet = Prefix::host(self.address);
        if icmp_error::may_report(&packet.header, &packet.payload, !packet.unicast, subnet).is_ok() {
            self.send_icmp(now, packet.header.source, &icmp_error::report(header, &packet.packet));
        }
    }

    fn send_icmp(&mut self, now: Instant, destination: Ipv4Addr, message: &IcmpMessage) {
        let len = message.wire_len();
        let outgoing = Outgoing { destination, protocol: protocol::ICMP, dont_fragment: false, len };
        self.send(now, outgoing, |w| message.emit(w));
    }
}

//! Echo, and the errors that a host sends and receives (RFC 792, RFC 1122 §3.2.2).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::ip::{Arrived, Ip, Outgoing};
use super::{Outbox, Output, SendError, Stack};
use crate::base::{Header as _, Instant, Layer, Reader};
use crate::layers::internet::fragment::Expired;
use crate::layers::internet::icmp::{IcmpHeader, IcmpMessage, TimeExceeded, Unreachable};
use crate::layers::internet::icmp_error;
use crate::layers::internet::ipv4::{Ecn, Ipv4Header, protocol};
use crate::layers::internet::prefix::{Cidr, Prefix};
use crate::layers::internet::source_route;
use crate::layers::transport::tcp::{IcmpError, SeqNumber};
use crate::trace::Kind;

/// How many replies to pings are kept; the oldest gives way.
const MAX_PONGS: usize = 64;

impl Stack {
    /// An ICMP message for this host: an echo is answered, an error goes to the socket that it is about.
    pub(super) fn icmp_arrived(&mut self, now: Instant, packet: &Arrived) {
        let message = match IcmpMessage::parse(&packet.shared_payload(), packet.offset) {
            Ok(message) => message,
            Err(error) => return self.discard(error.to_string()),
        };
        if let Some(reply) = message.echo_reply() {
            // RFC 1122 §3.2.2.6 leaves it to the host. Answered, one forged packet makes a whole network shout at
            // its victim ("smurf").
            if !packet.is_for_one() {
                return self.discard("an echo request to all hosts is not answered".into());
            }
            let (asked, asker) = (packet.header.destination.into(), packet.header.source.into());
            return self.ip.send_icmp(now, asked, asker, &reply, &mut self.out);
        }
        match message.header {
            IcmpHeader::EchoReply { identifier, sequence } => {
                if self.ip.pongs.len() == MAX_PONGS {
                    self.ip.pongs.pop_front();
                }
                self.ip.pongs.push_back((packet.header.source.into(), identifier, sequence));
            }
            IcmpHeader::Unreachable(_)
            | IcmpHeader::TimeExceeded(_)
            | IcmpHeader::ParameterProblem { .. } => {
                self.tell_the_sender(now, message.header, &message.payload);
            }
            // RFC 1122 §3.2.2: an unknown type is discarded in silence. An echo request was answered above.
            IcmpHeader::EchoRequest { .. } | IcmpHeader::Other { .. } => {}
        }
    }

    /// No neighbour took a packet of this host's own: its socket gets the error that a router would have sent.
    pub(super) fn undelivered(&mut self, now: Instant, packet: &Bytes) {
        self.tell_the_sender(now, IcmpHeader::Unreachable(Unreachable::Host), packet);
    }

    /// Finds the socket that sent the quoted packet, and hands it the error. Eight bytes of payload are quoted at least
    /// (RFC 792): enough for the ports, and for TCP's sequence number.
    fn tell_the_sender(&mut self, now: Instant, error: IcmpHeader, packet: &Bytes) {
        let mut r = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, packet);
        let Ok(quoted) = Ipv4Header::parse_quoted(&mut r) else { return };
        let (Ok(local_port), Ok(remote_port), Ok(seq)) =
            (r.u16("source port"), r.u16("port"), r.u32("sequence"))
        else {
            return;
        };
        // Only a first fragment begins with ports.
        if !self.ip.is_own(quoted.source) || quoted.fragment_offset != 0 {
            return;
        }
        let local = SocketAddr::new(quoted.source.into(), local_port);
        let remote = SocketAddr::new(source_route::ultimate(&quoted).into(), remote_port);
        match quoted.protocol {
            protocol::UDP => {
                let told = self.udp.unreachable(local_port, remote, error);
                if let IcmpHeader::Unreachable(Unreachable::FragmentationNeeded { next_hop_mtu: mtu @ 1.. }) =
                    error
                    && told.is_some()
                {
                    let (tcp, mut below) = self.tcp();
                    tcp.learn_path_mtu(now, remote.ip(), mtu, &mut below);
                }
                self.out.extend(told);
            }
            protocol::TCP => {
                let error = match error {
                    IcmpHeader::Unreachable(Unreachable::FragmentationNeeded { next_hop_mtu }) => {
                        IcmpError::PacketTooBig(next_hop_mtu)
                    }
                    IcmpHeader::Unreachable(why) if why.is_hard() => IcmpError::Hard,
                    _ => IcmpError::Soft,
                };
                let (tcp, mut below) = self.tcp();
                tcp.icmp(now, (local, remote), (error, SeqNumber(seq)), &mut below);
            }
            _ => {}
        }
    }
}

impl Ip {
    pub(super) fn ping(
        &mut self,
        now: Instant,
        to: IpAddr,
        echo: IcmpHeader,
        payload: Bytes,
        out: &mut Outbox,
    ) -> Result<(), SendError> {
        let path = self.path(to).ok_or(SendError::NoRoute)?;
        self.send_icmp(now, path.source, to, &IcmpMessage { header: echo, payload }, out);
        Ok(())
    }

    /// Reports to the sender of a packet that it cannot be delivered, if that may be reported at all.
    pub(super) fn refuse(&mut self, now: Instant, packet: &Arrived, why: Unreachable, out: &mut Outbox) {
        self.report(now, packet, IcmpHeader::Unreachable(why), out);
    }

    pub(super) fn time_exceeded(
        &mut self,
        now: Instant,
        packet: &Arrived,
        why: TimeExceeded,
        out: &mut Outbox,
    ) {
        self.report(now, packet, IcmpHeader::TimeExceeded(why), out);
    }

    /// Fragments did not all arrive in time. The sender gets an error if the first one came (RFC 792), and if errors
    /// may be sent to it at all.
    pub(super) fn reassembly_expired(&mut self, now: Instant, expired: &Expired, out: &mut Outbox) {
        let text = format!("fragments from {} did not all come in time", expired.source).into();
        out.push_back(Output::Trace(Kind::Note { text }));
        let Some(packet) = expired.first.clone() else { return };
        let mut r = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &packet);
        let Ok(header) = Ipv4Header::parse_quoted(&mut r) else { return };
        let interface = self.hop(header.source.into()).map_or(0, |hop| hop.interface);
        self.time_exceeded(now, &Arrived::whole(header, packet, 0, interface), TimeExceeded::Reassembly, out);
    }

    /// An error is from the address that its receiver reaches this host by (RFC 1812 §4.3.2.4).
    fn report(&mut self, now: Instant, packet: &Arrived, header: IcmpHeader, out: &mut Outbox) {
        let to = IpAddr::from(packet.header.source);
        let Some(path) = self.path(to) else { return };
        let own = self.nics[packet.interface].addresses.iter().copied().map(Cidr::prefix);
        let subnet = own.into_iter().find(|own| own.contains(to)).unwrap_or(Prefix::host(path.source));
        if icmp_error::may_report(&packet.header, packet.payload(), !packet.is_for_one(), subnet).is_ok() {
            self.send_icmp(now, path.source, to, &icmp_error::report(header, packet.packet()), out);
        }
    }

    fn send_icmp(
        &mut self,
        now: Instant,
        source: IpAddr,
        destination: IpAddr,
        message: &IcmpMessage,
        out: &mut Outbox,
    ) {
        let len = message.wire_len();
        let outgoing = Outgoing {
            source,
            destination,
            protocol: protocol::ICMP,
            dont_fragment: false,
            dscp: 0,
            ecn: Ecn::NotEct,
            via: None,
            len,
        };
        self.send(now, outgoing, |w| message.emit(w), out);
    }
}

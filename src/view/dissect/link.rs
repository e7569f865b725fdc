//! The walk through the link layer: from whatever a capture begins with to the packet inside.

use std::ops::Range;

use super::frame::Walk;
use super::link_type::LinkType;
use super::{Part, Role};
use crate::base::{Header, Layer};
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::ethernet::{EtherType, EthernetHeader, MTU, MacAddr};
use crate::layers::link::linux_cooked::{LinuxCooked, LinuxCooked2};
use crate::layers::link::llc::{Ieee8023Header, LlcHeader, SnapHeader};
use crate::layers::link::mpls::MplsLabel;
use crate::layers::link::pppoe::{PppHeader, PppoeHeader};
use crate::layers::link::vlan::VlanTag;

impl Walk {
    pub(super) fn link_type(&mut self, frame: &[u8], link: LinkType) {
        let range = 0..frame.len();
        match link {
            LinkType::Ethernet => self.ethernet(frame, range),
            LinkType::RawIp => self.ip(frame, range),
            LinkType::Loopback => self.loopback(frame, range),
            LinkType::LinuxCooked => {
                let Some((header, rest)) = self.header(frame, range, LinuxCooked::parse) else { return };
                self.cooked(header.address_len.into(), &header.address);
                self.linux_protocol(frame, rest, header.protocol);
            }
            LinkType::LinuxCooked2 => {
                let Some((header, rest)) = self.header(frame, range, LinuxCooked2::parse) else { return };
                self.cooked(header.address_len.into(), &header.address);
                self.remark(format!("interface {}", header.interface));
                self.linux_protocol(frame, rest, header.protocol);
            }
            LinkType::Ppp => self.ppp(frame, range),
            LinkType::Pppoe => self.pppoe(frame, range),
            LinkType::Other(_) => self.name(Layer::Link, "link", link.name(), range),
        }
    }

    /// What a Linux interface knows of the sender.
    fn cooked(&mut self, len: usize, address: &[u8; 8]) {
        let source = address.first_chunk::<6>().filter(|_| len == 6).map(|mac| MacAddr(*mac));
        self.link = Some([source, None]);
    }

    /// The protocols of Linux: EtherTypes, and two numbers for frames with a length.
    fn linux_protocol(&mut self, frame: &[u8], range: Range<usize>, protocol: EtherType) {
        match protocol {
            EtherType(4) => self.llc(frame, range),
            EtherType(number) if protocol < EtherType::FIRST => {
                self.ethertype = Some(number);
                self.name(Layer::Link, "Linux cooked", format!("protocol 0x{number:04x}"), range);
            }
            _ => self.ethertype(frame, range, protocol),
        }
    }

    /// The number of an address family, in the byte order of the machine that captured.
    fn loopback(&mut self, frame: &[u8], range: Range<usize>) {
        let Some((family, _)) = frame[range.clone()].split_first_chunk::<4>() else {
            return self.name(Layer::Link, "loopback", "less than the four bytes of its header", range);
        };
        let rest = range.start + 4..range.end;
        self.push(Part::plain(Layer::Link, "loopback", Role::Header, range.start..rest.start));
        let family = match u32::from_be_bytes(*family) {
            // The larger number would be no family: it is in the other order.
            number if number > 0xffff => number.swap_bytes(),
            number => number,
        };
        match family {
            2 => self.ip(frame, rest),
            // IPv6 is 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS, 10 on Linux.
            10 | 24 | 28 | 30 => self.ip(frame, rest),
            other => self.name(Layer::Internet, "loopback", format!("address family {other}"), rest),
        }
    }

    pub(super) fn ethernet(&mut self, frame: &[u8], range: Range<usize>) {
        if !self.deeper() {
            return self.push(Part::data(Layer::Link, range));
        }
        let kind = frame[range.clone()].get(12..14).map(|kind| u16::from_be_bytes([kind[0], kind[1]]));
        if kind.is_some_and(|kind| usize::from(kind) <= MTU) {
            let Some((header, rest)) = self.header(frame, range, Ieee8023Header::parse) else { return };
            self.link = Some([Some(header.source), Some(header.destination)]);
            let end = (rest.start + usize::from(header.length)).min(rest.end);
            self.llc(frame, rest.start..end);
            self.push(Part::plain(Layer::Link, "padding", Role::Padding, end..rest.end));
            return;
        }
        if let Some((header, rest)) = self.header(frame, range, EthernetHeader::parse) {
            self.link = Some([Some(header.source), Some(header.destination)]);
            self.ethertype(frame, rest, header.ethertype);
        }
    }

    /// What an EtherType announces.
    pub(super) fn ethertype(&mut self, frame: &[u8], range: Range<usize>, ethertype: EtherType) {
        self.ethertype = Some(ethertype.0);
        if !self.deeper() {
            return self.push(Part::data(Layer::Internet, range));
        }
        match ethertype {
            EtherType::IPV4 => self.ipv4(frame, range),
            EtherType::IPV6 => self.ipv6(frame, range),
            EtherType::ARP => self.arp(frame, range),
            EtherType::VLAN | EtherType::SERVICE_VLAN | EtherType::OLD_SERVICE_VLAN => {
                let Some((tag, rest)) = self.header(frame, range, VlanTag::parse) else { return };
                self.remark(format!("VLAN {}", tag.id));
                if tag.ethertype < EtherType::FIRST {
                    let end = (rest.start + usize::from(tag.ethertype.0)).min(rest.end);
                    self.llc(frame, rest.start..end);
                    self.push(Part::plain(Layer::Link, "padding", Role::Padding, end..rest.end));
                } else {
                    self.ethertype(frame, rest, tag.ethertype);
                }
            }
            EtherType::MPLS | EtherType::MPLS_GROUP => self.mpls(frame, range),
            EtherType::PPPOE_DISCOVERY | EtherType::PPPOE_SESSION => self.pppoe(frame, range),
            EtherType::BRIDGED => self.ethernet(frame, range),
            _ => self.push(Part::data(Layer::Internet, range)),
        }
    }

    fn arp(&mut self, frame: &[u8], range: Range<usize>) {
        if let Some((arp, rest)) = self.header(frame, range, ArpPacket::parse) {
            self.arp = Some(arp);
            self.push(Part::plain(Layer::Link, "padding", Role::Padding, rest));
        }
    }

    fn llc(&mut self, frame: &[u8], range: Range<usize>) {
        // Novell's first frames had nothing behind the length; they begin with two bytes of ones.
        if frame[range.clone()].starts_with(&[0xff, 0xff]) {
            return self.name(Layer::Internet, "802.3", "IPX without LLC", range);
        }
        let Some((llc, rest)) = self.header(frame, range, LlcHeader::parse) else { return };
        if llc.destination == LlcHeader::SNAP && llc.source == LlcHeader::SNAP {
            let Some((snap, rest)) = self.header(frame, rest, SnapHeader::parse) else { return };
            match snap.oui {
                // 0x0000f8 is 802.1H's, for bridges; its ids are EtherTypes too.
                0 | 0x0000f8 => self.ethertype(frame, rest, snap.protocol),
                0x00000c => {
                    let says = match snap.protocol.0 {
                        0x2000 => "CDP".into(),
                        0x010b => "spanning tree of Cisco".into(),
                        other => format!("Cisco protocol 0x{other:04x}"),
                    };
                    self.name(Layer::Internet, "SNAP", says, rest);
                }
                oui => {
                    let says = format!("OUI 0x{oui:06x}, protocol 0x{:04x}", snap.protocol.0);
                    self.name(Layer::Internet, "SNAP", says, rest);
                }
            }
            return;
        }
        let says = llc.name().map_or_else(|| format!("DSAP 0x{:02x}", llc.destination), str::to_owned);
        match llc.destination {
            0x06 => self.ip(frame, rest),
            _ => self.name(Layer::Internet, "LLC", says, rest),
        }
    }

    fn mpls(&mut self, frame: &[u8], mut range: Range<usize>) {
        loop {
            let Some((label, rest)) = self.header(frame, range, MplsLabel::parse) else { return };
            self.remark(format!("MPLS {}", label.label));
            range = rest;
            if label.bottom {
                break;
            }
            if !self.deeper() {
                return self.push(Part::data(Layer::Internet, range));
            }
        }
        match frame[range.clone()].first().map(|first| first >> 4) {
            Some(4 | 6) => self.ip(frame, range),
            // A pseudowire begins with a control word of which the first four bits are 0 (RFC 4385 §3).
            Some(0) if range.len() > 4 => {
                self.push(Part::plain(
                    Layer::Link,
                    "control word",
                    Role::Header,
                    range.start..range.start + 4,
                ));
                self.ethernet(frame, range.start + 4..range.end);
            }
            _ => self.name(Layer::Internet, "MPLS", "a payload that does not say what it is", range),
        }
    }

    fn pppoe(&mut self, frame: &[u8], range: Range<usize>) {
        let Some((header, rest)) = self.header(frame, range, PppoeHeader::parse) else { return };
        let end = (rest.start + usize::from(header.length)).min(rest.end);
        if header.code == 0 {
            self.remark(format!("PPPoE session {}", header.session));
            self.ppp(frame, rest.start..end);
        } else {
            self.name(Layer::Link, "PPPoE", format!("discovery: {}", header.words()), rest.start..end);
        }
        self.push(Part::plain(Layer::Link, "padding", Role::Padding, end..rest.end));
    }

    fn ppp(&mut self, frame: &[u8], mut range: Range<usize>) {
        // Address and control of HDLC, when they were not left out (RFC 1662 §3.1).
        if frame[range.clone()].starts_with(&[0xff, 0x03]) {
            self.push(Part::plain(Layer::Link, "HDLC", Role::Header, range.start..range.start + 2));
            range.start += 2;
        }
        let Some((header, rest)) = self.header(frame, range, PppHeader::parse) else { return };
        match header.protocol {
            PppHeader::IPV4 => self.ipv4(frame, rest),
            PppHeader::IPV6 => self.ipv6(frame, rest),
            other => {
                let says = header.name().map_or_else(|| format!("protocol 0x{other:04x}"), str::to_owned);
                self.name(Layer::Link, "PPP", says, rest);
            }
        }
    }
}

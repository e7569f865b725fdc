//! The headers that are read by observers only: what is read is written as it was read, and lines are made of anything.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netlayers::base::{Header, Reader, Writer};
use netlayers::layers::application::{dhcp, dns, tls};
use netlayers::layers::internet::gre::GreHeader;
use netlayers::layers::internet::icmpv6::{Icmpv6Header, link_layer_address};
use netlayers::layers::internet::ipv6::Ipv6Header;
use netlayers::layers::internet::ipv6_extension::{
    AuthenticationHeader, FragmentHeader, OptionsHeader, RoutingHeader,
};
use netlayers::layers::link::llc::{Ieee8023Header, LlcHeader, SnapHeader};
use netlayers::layers::link::mpls::MplsLabel;
use netlayers::layers::link::pppoe::{PppHeader, PppoeHeader};
use netlayers::layers::link::vlan::VlanTag;
use netlayers::layers::transport::quic::QuicLongHeader;

fn there_and_back<H: Header + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    let Ok(header) = H::parse(&mut Reader::new(H::LAYER, H::PROTOCOL, bytes)) else { return };
    let mut w = Writer::new();
    header.emit(&mut w);
    assert_eq!(w.len(), header.header_len());
    let again = H::parse(&mut Reader::new(H::LAYER, H::PROTOCOL, w.as_slice()));
    assert_eq!(again.as_ref(), Ok(&header));
}

fuzz_target!(|bytes: &[u8]| {
    there_and_back::<Ipv6Header>(bytes);
    there_and_back::<OptionsHeader>(bytes);
    there_and_back::<RoutingHeader>(bytes);
    there_and_back::<FragmentHeader>(bytes);
    there_and_back::<AuthenticationHeader>(bytes);
    there_and_back::<Icmpv6Header>(bytes);
    there_and_back::<GreHeader>(bytes);
    there_and_back::<VlanTag>(bytes);
    there_and_back::<Ieee8023Header>(bytes);
    there_and_back::<LlcHeader>(bytes);
    there_and_back::<SnapHeader>(bytes);
    there_and_back::<MplsLabel>(bytes);
    there_and_back::<PppoeHeader>(bytes);
    there_and_back::<PppHeader>(bytes);
    there_and_back::<QuicLongHeader>(bytes);
    there_and_back::<dns::DnsHeader>(bytes);
    there_and_back::<dhcp::DhcpHeader>(bytes);
    there_and_back::<tls::RecordHeader>(bytes);
    let _ = (dns::line(bytes), dhcp::line(bytes), tls::handshake_line(bytes), link_layer_address(bytes));
});

//! What both ends agree on in their SYNs, as the kernel's `TCP_INFO` has it.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};

use bytes::Bytes;
use netlayers::layers::transport::tcp as tcp_layer;
use netlayers::real::tcp_info::TcpInfo;
use netlayers::sim::apps::tcp;

use crate::wire::{KERNELS, Link, OURS, PORT, connect, modern, near, patient};

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "handshake::as_client_we_agree_on_scale_sack_and_timestamps",
        as_client_we_agree_on_scale_sack_and_timestamps,
    ),
    (
        "handshake::as_server_we_agree_on_scale_sack_and_timestamps",
        as_server_we_agree_on_scale_sack_and_timestamps,
    ),
    ("handshake::what_we_do_not_offer_is_not_agreed_on", what_we_do_not_offer_is_not_agreed_on),
    ("handshake::a_closed_port_refuses_on_either_end", a_closed_port_refuses_on_either_end),
];

/// Our host connects and sends a message; the kernel's end says what was agreed on.
fn connected_by_us(tcp: tcp_layer::Config) -> TcpInfo {
    let mut link = Link::new(tcp, near(), 0.0);
    let host = link.host;
    let sender = tcp::Sender::new(SocketAddr::new(KERNELS, PORT), Bytes::from_static(b"hello"));
    link.open.network.app(host, sender);
    let listener = TcpListener::bind((KERNELS, PORT)).unwrap();
    let info = link.run(move || {
        let mut stream = patient(listener.accept().unwrap().0);
        let mut got = Vec::new();
        stream.read_to_end(&mut got).unwrap();
        assert_eq!(got, b"hello");
        TcpInfo::of_socket(&stream).unwrap()
    });
    assert_eq!(link.resets(), 0);
    info
}

fn as_client_we_agree_on_scale_sack_and_timestamps() {
    let options = connected_by_us(modern()).options;
    // A buffer of 1 MiB is 2^16 and a shift of 5 (RFC 7323 §2.3); the kernel's own shift is its own affair.
    assert!(options.window_scale.is_some_and(|(ours, kernels)| ours == 5 && kernels > 0), "{options:?}");
    assert!(options.sack && options.timestamps, "{options:?}");
}

fn as_server_we_agree_on_scale_sack_and_timestamps() {
    let mut link = Link::new(modern(), near(), 0.0);
    let host = link.host;
    link.open.network.app(host, tcp::Receiver::new(PORT));
    let options = link.run(|| TcpInfo::of_socket(&connect()).unwrap().options);
    assert!(options.window_scale.is_some_and(|(ours, kernels)| ours == 5 && kernels > 0), "{options:?}");
    assert!(options.sack && options.timestamps, "{options:?}");
}

fn what_we_do_not_offer_is_not_agreed_on() {
    let plain = tcp_layer::Config { window_scale: false, mss: 500, ..tcp_layer::Config::bare() };
    let info = connected_by_us(plain);
    assert_eq!(info.options, netlayers::real::tcp_info::Options::default());
    assert_eq!(info.snd_mss, 500, "the kernel keeps to the MSS that we announce");
}

fn a_closed_port_refuses_on_either_end() {
    let mut link = Link::new(modern(), near(), 0.0);
    let host = link.host;
    let sender = tcp::Sender::new(SocketAddr::new(KERNELS, PORT), Bytes::from_static(b"hello"));
    let sender = link.open.network.app(host, sender);
    let refused = link.run(|| {
        let refused = std::net::TcpStream::connect((OURS, PORT)).map(drop);
        // Our own SYN is refused at about the same time.
        std::thread::sleep(std::time::Duration::from_millis(300));
        refused
    });
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    let ended = link.open.network.app_ref::<tcp::Sender>(sender).ended();
    assert_eq!(ended, Some(tcp_layer::Reason::Refused));
    assert_eq!(link.resets(), 2);
}

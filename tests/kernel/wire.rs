//! A host of ours on a link that leads to the kernel, and what is asked of both ends.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration as StdDuration;

use bytes::Bytes;
use netlayers::base::{Duration, Instant};
use netlayers::layers::internet::prefix::{Cidr, v4};
use netlayers::layers::link::ethernet::MacAddr;
use netlayers::layers::stack::StackConfig;
use netlayers::layers::transport::tcp;
use netlayers::layers::transport::tcp::congestion::Algorithm;
use netlayers::real::RealError;
use netlayers::real::clock::Clock;
use netlayers::real::kernel::device::KernelEnd;
use netlayers::real::kernel::{self, Device};
use netlayers::real::tcp_info::TcpInfo;
use netlayers::sim::fault::{self, Verdict};
use netlayers::sim::{HostId, LinkConfig, Network, NodeId, OpenNetwork};
use netlayers::trace::{Recorder, Wire};

pub(crate) const OURS: IpAddr = v4(10, 0, 0, 1);
pub(crate) const KERNELS: IpAddr = v4(10, 0, 0, 2);
/// Not one of those whose payload tshark thinks to know.
pub(crate) const PORT: u16 = 9002;

/// What ends a test that hangs. No test asserts how long something takes.
const DEAD_MAN: Duration = Duration::from_secs(120);

pub(crate) struct Link {
    pub(crate) open: OpenNetwork,
    pub(crate) host: HostId,
    device: Device,
    clock: Clock,
    resets: Arc<AtomicU64>,
}

impl Link {
    /// A host with this TCP, a link, and as many frames lost on it in each direction.
    pub(crate) fn new(tcp: tcp::Config, link: LinkConfig, loss: f64) -> Link {
        let mut open = OpenNetwork::new(Network::new(1, Recorder::on("kernel", Wire::Kernel)));
        let config = StackConfig { tcp, ..StackConfig::default() };
        let host = open.network.host("ours", Cidr::new(OURS, 24), &config);
        let end = open.open("kernel", KERNELS);
        open.network.link(host, end, link);
        let resets = Arc::new(AtomicU64::new(0));
        let ways: [(NodeId, NodeId); 2] = [(host.into(), end), (end, host.into())];
        for (from, to) in ways {
            let seen = Arc::clone(&resets);
            let watch = fault::rule("watch for RST", move |frame, _| {
                let is_reset =
                    frame.segment().is_some_and(|segment| segment.header.flags.has(tcp::Flags::RST));
                seen.fetch_add(u64::from(is_reset), Ordering::Relaxed);
                Verdict::Pass
            });
            open.network.rule(from, to, watch);
            if loss > 0.0 {
                open.network.rule(from, to, fault::loss(loss));
            }
        }
        let kernel = KernelEnd { address: Cidr::new(KERNELS, 24), mac: open.mac(end), mtu: link.mtu };
        let device = Device::lay("kernel", &kernel).expect("a pair of interfaces");
        Link { open, host, device, clock: Clock::start(), resets }
    }

    /// Lets the kernel's programs run until they are done.
    pub(crate) fn run<T: Send + 'static>(&mut self, programs: impl FnOnce() -> T + Send + 'static) -> T {
        let devices = [&self.device];
        let programs = || Ok::<_, RealError>(programs());
        let ran = kernel::run(&mut self.open, &devices, &self.clock, DEAD_MAN, programs)
            .expect("it comes to an end");
        assert_eq!(ran.no_room, 0, "frames that the kernel had no room for");
        ran.result
    }

    /// RSTs that crossed the link.
    pub(crate) fn resets(&self) -> u64 {
        self.resets.load(Ordering::Relaxed)
    }
}

/// What both of today's stacks do, and no more than a frame a millisecond of buffers at 100 Mbit/s needs.
pub(crate) fn modern() -> tcp::Config {
    tcp::Config {
        sack: true,
        rack: true,
        timestamps: true,
        delayed_ack: Some(Duration::from_millis(40)),
        min_rto: Duration::from_millis(200),
        send_buffer: 1 << 20,
        recv_buffer: 1 << 20,
        congestion: Algorithm::CUBIC,
        ..tcp::Config::default()
    }
}

/// A millisecond away, as fast as it goes.
pub(crate) fn near() -> LinkConfig {
    LinkConfig { rate: None, delay: Duration::from_millis(1), ..LinkConfig::default() }
}

pub(crate) fn noise(len: usize) -> Bytes {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A connection of the kernel's to our host, which gives up when nothing comes for long.
pub(crate) fn connect() -> TcpStream {
    patient(TcpStream::connect(SocketAddr::new(OURS, PORT)).expect("our host listens"))
}

pub(crate) fn patient(stream: TcpStream) -> TcpStream {
    let limit = Some(StdDuration::from_nanos(DEAD_MAN.as_nanos()));
    stream.set_read_timeout(limit).expect("a timeout");
    stream.set_write_timeout(limit).expect("a timeout");
    stream
}

/// The state of the kernel's end when its FIN has been acknowledged, or the last one before the time was up.
pub(crate) fn last_state(stream: &TcpStream) -> &'static str {
    let clock = Clock::start();
    loop {
        let state = TcpInfo::of_socket(stream).expect("TCP_INFO").state;
        if ["CLOSED", "TIME-WAIT"].contains(&state) || clock.now() > Instant::from_millis(60_000) {
            return state;
        }
        std::thread::sleep(StdDuration::from_millis(1));
    }
}

/// Lays a wire in a namespace of its own, and lets it go again: whether this system allows that.
pub(crate) fn try_one() -> Result<(), RealError> {
    kernel::enter_network()?;
    let kernel = KernelEnd { address: Cidr::new(KERNELS, 24), mac: MacAddr::local(1), mtu: 1500 };
    Device::lay("kernel", &kernel).map(drop)
}

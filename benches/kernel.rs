//! Our TCP against Linux's: a hundred megabytes each way with no, one and five per cent of all frames lost, and how long
//! ten take at one per cent and 20 ms, beside the kernel against itself under the same rules.
//!
//! `cargo bench --bench kernel`, or with a number of megabytes: `cargo bench --bench kernel -- 10`.

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("the kernel wire needs Linux");
}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{Read as _, Write as _};
    use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
    use std::thread;

    use bytes::Bytes;
    use netlayers::base::Duration;
    use netlayers::layers::internet::prefix::{Cidr, v4};
    use netlayers::layers::stack::StackConfig;
    use netlayers::layers::transport::tcp::{self as tcp_layer, congestion::Algorithm};
    use netlayers::real::clock::Clock;
    use netlayers::real::kernel::device::KernelEnd;
    use netlayers::real::kernel::{self, Device};
    use netlayers::real::tcp_info::TcpInfo;
    use netlayers::sim::apps::tcp;
    use netlayers::sim::{LinkConfig, Network, NodeId, OpenNetwork, fault};
    use netlayers::trace::{Recorder, Wire};

    const A: IpAddr = v4(10, 0, 0, 1);
    const B: IpAddr = v4(10, 0, 0, 2);
    const PORT: u16 = 9002;
    const LIMIT: Duration = Duration::from_secs(1200);

    /// Which end of a transfer is the kernel's.
    #[derive(Debug, Clone, Copy)]
    enum Ends {
        OursToKernel,
        KernelToOurs,
        KernelToKernel,
    }

    pub(super) fn main() -> Result<(), Box<dyn std::error::Error>> {
        kernel::enter()?;
        let megabytes = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100);
        println!(
            "{megabytes} MB, 1 ms each way, no rate limit; every byte compared, both ends closed, no RST"
        );
        for ends in [Ends::OursToKernel, Ends::KernelToOurs] {
            for loss in [0.0, 0.01, 0.05] {
                let took = on_a_thread(ends, megabytes * 1_000_000, loss, Duration::from_millis(1), 1);
                println!("  {ends:?}, {:>2.0} % lost: {:.2} s", loss * 100.0, secs(took));
            }
        }
        println!("10 MB, 10 ms each way, 1 % lost: medians of three seeds, in turn");
        let all = [Ends::KernelToKernel, Ends::OursToKernel, Ends::KernelToOurs];
        let mut times = [(); 3].map(|()| Vec::new());
        for seed in 1..=3 {
            for (times, ends) in times.iter_mut().zip(all) {
                times.push(on_a_thread(ends, 10_000_000, 0.01, Duration::from_millis(10), seed));
            }
        }
        for (mut times, ends) in times.into_iter().zip(all) {
            times.sort();
            let all: Vec<String> = times.iter().map(|time| format!("{:.2}", secs(*time))).collect();
            println!("  {ends:?}: {:.2} s ({})", secs(times[1]), all.join(", "));
        }
        Ok(())
    }

    fn secs(time: Duration) -> f64 {
        time.as_nanos() as f64 / 1e9
    }

    /// One transfer, on a thread with a network namespace of its own.
    fn on_a_thread(ends: Ends, len: usize, loss: f64, delay: Duration, seed: u64) -> Duration {
        let run = move || {
            kernel::enter_network().expect("a network namespace");
            transfer(ends, len, loss, delay, seed)
        };
        thread::spawn(run).join().expect("the transfer is whole")
    }

    fn transfer(ends: Ends, len: usize, loss: f64, delay: Duration, seed: u64) -> Duration {
        let message = noise(len);
        let mut open = OpenNetwork::new(Network::new(seed, Recorder::off(Wire::Kernel)));
        let config = StackConfig { tcp: modern(), ..StackConfig::default() };
        let (a, b, receiver);
        match ends {
            Ends::OursToKernel => {
                let host = open.network.host("a", Cidr::new(A, 24), &config);
                (a, b, receiver) = (NodeId::from(host), open.open("b", B), None);
                open.network.app(host, tcp::Sender::new(SocketAddr::new(B, PORT), message.clone()));
            }
            Ends::KernelToOurs => {
                let host = open.network.host("b", Cidr::new(B, 24), &config);
                (a, b) = (open.open("a", A), NodeId::from(host));
                receiver = Some(open.network.app(host, tcp::Receiver::new(PORT)));
            }
            Ends::KernelToKernel => (a, b, receiver) = (open.open("a", A), open.open("b", B), None),
        }
        open.network.link(a, b, LinkConfig { rate: None, delay, ..LinkConfig::default() });
        for (from, to) in [(a, b), (b, a)] {
            if loss > 0.0 {
                open.network.rule(from, to, fault::loss(loss));
            }
        }
        // The receiving kernel is in a namespace of its own: in one, two addresses of the kernel's would need no wire.
        let far = match ends {
            Ends::KernelToOurs => None,
            _ => {
                let mac = open.mac(b);
                let lay = move || {
                    kernel::enter_network().expect("a network namespace");
                    let device = Device::lay("b", &KernelEnd { address: Cidr::new(B, 24), mac, mtu: 1500 });
                    (device.expect("interfaces"), TcpListener::bind((B, PORT)).expect("a port"))
                };
                Some(thread::spawn(lay).join().expect("the other end"))
            }
        };
        let near = match ends {
            Ends::OursToKernel => None,
            _ => {
                let end = KernelEnd { address: Cidr::new(A, 24), mac: open.mac(a), mtu: 1500 };
                Some(Device::lay("a", &end).expect("interfaces"))
            }
        };
        let (far_device, listener) = far.unzip();
        let devices: Vec<&Device> = near.iter().chain(far_device.iter()).collect();
        let (clock, sent) = (Clock::start(), message.clone());
        let programs = move || {
            let server = listener.map(|listener: TcpListener| thread::spawn(move || sink(&listener)));
            if !matches!(ends, Ends::OursToKernel) {
                source(&sent);
            }
            Ok(server.map(|server| server.join().expect("the server reads")))
        };
        let ran = kernel::run(&mut open, &devices, &clock, LIMIT, programs).expect("it comes to an end");
        let took = clock.now().since(netlayers::base::Instant::ZERO);
        assert_eq!(ran.no_room, 0, "frames that the kernel had no room for");
        let got = match receiver {
            Some(receiver) => open.network.app_ref::<tcp::Receiver>(receiver).pieces().concat(),
            None => ran.result.expect("a server of the kernel's"),
        };
        assert!(got == message, "{ends:?}: {} bytes of {len} came, or others", got.len());
        took
    }

    fn sink(listener: &TcpListener) -> Vec<u8> {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut got = Vec::new();
        stream.read_to_end(&mut got).expect("no RST");
        stream.shutdown(Shutdown::Write).expect("no RST");
        closed(&stream);
        got
    }

    fn source(message: &Bytes) {
        let mut stream = TcpStream::connect((B, PORT)).expect("a server");
        // As ours, whatever the system's default is.
        socket2::SockRef::from(&stream).set_tcp_congestion(b"cubic").expect("Linux has it");
        stream.write_all(message).expect("no RST");
        stream.shutdown(Shutdown::Write).expect("no RST");
        assert_eq!(stream.read(&mut [0; 1]).expect("no RST"), 0);
        closed(&stream);
    }

    /// Waits until the kernel is done with the connection.
    fn closed(stream: &TcpStream) {
        while !["CLOSED", "TIME-WAIT"].contains(&TcpInfo::of_socket(stream).expect("TCP_INFO").state) {
            thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    /// What Linux does, too: CUBIC, SACK, RACK, timestamps, delayed ACKs, windows of megabytes.
    fn modern() -> tcp_layer::Config {
        tcp_layer::Config {
            sack: true,
            rack: true,
            timestamps: true,
            delayed_ack: Some(Duration::from_millis(40)),
            min_rto: Duration::from_millis(200),
            send_buffer: 4 << 20,
            recv_buffer: 4 << 20,
            congestion: Algorithm::CUBIC,
            ..tcp_layer::Config::default()
        }
    }

    fn noise(len: usize) -> Bytes {
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(len).collect()
    }
}

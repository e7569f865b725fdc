//! The kernel wire on Linux.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::thread;

use bytes::Bytes;

use super::Played;
use crate::base::Duration;
use crate::cli::error::CliError;
use crate::layers::internet::prefix::{Cidr, v4};
use crate::layers::link::ethernet::MacAddr;
use crate::real::RealError;
use crate::real::clock::{Clock, std_duration};
use crate::real::kernel::device::KernelEnd;
use crate::real::kernel::programs::{Door, Patience, serve};
use crate::real::kernel::{self, Device};
use crate::sim::knob::Knobs;
use crate::sim::scene::ClientOnly;
use crate::sim::{HostId, Network, NodeId, OpenNetwork};
use crate::trace::{Recorder, Way, Wire};

/// How long a run may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Moves this process into namespaces of its own, once. It must have no other threads yet.
pub(in crate::cli) fn enter() -> Result<(), CliError> {
    static ENTERED: OnceLock<()> = OnceLock::new();
    if ENTERED.get().is_none() {
        kernel::enter().map_err(CliError::failed)?;
        ENTERED.get_or_init(|| ());
    }
    Ok(())
}

/// Sends a message one way: our stack to the kernel's.
pub(in crate::cli) fn message(way: Way, message: &Bytes, knobs: &Knobs) -> Result<Played, CliError> {
    let mut client = ClientOnly::new(way, message, knobs, Recorder::on(way.name(), Wire::Kernel), "kernel");
    let address = client.server();
    let device = lay(address.ip(), client.mac(), knobs)?;
    let clock = Clock::start();
    let datagrams = client.pieces(message, knobs);
    // What jitter, a reordering and a queue can add to the way there.
    let quiet = knobs.rtt() + knobs.link.jitter + Duration::from_secs(1);
    let patience = Patience { quiet, whole: LIMIT };
    // What is on its way to our end when the program is done arrives, too.
    let rest = std_duration(knobs.link.delay + knobs.link.jitter + Duration::from_millis(20));
    let door = Door::open(way, address).map_err(CliError::failed)?;
    let programs = move || {
        let served = serve(way, door, address, clock, datagrams, patience);
        thread::sleep(rest);
        served
    };
    let ran = kernel::run(&mut client.open, &[&device], &clock, LIMIT + LIMIT, programs)
        .map_err(CliError::failed)?;
    let served = ran.result;
    let run = client.into_run(message, knobs, served.received, served.trace);
    Ok(Played { run, figures: served.figures, no_room: ran.no_room })
}

/// Lays a pair of interfaces in a network namespace of their own: no neighbour and no connection of an earlier run is
/// known there.
fn lay(address: IpAddr, mac: MacAddr, knobs: &Knobs) -> Result<Device, CliError> {
    kernel::enter_network().map_err(CliError::failed)?;
    let end = KernelEnd { address: Cidr::new(address, 24), mac, mtu: knobs.link.mtu };
    Device::lay("kernel", &end).map_err(CliError::failed)
}

/// A host of ours on a link that leads to the kernel, for a scene of its own.
pub(super) struct Bench {
    pub(super) open: OpenNetwork,
    pub(super) host: HostId,
    /// The kernel's end of the link.
    pub(super) end: NodeId,
    device: Device,
    pub(super) clock: Clock,
}

/// Where the two ends are.
pub(super) const OURS: IpAddr = v4(10, 0, 0, 1);
pub(super) const KERNELS: IpAddr = v4(10, 0, 0, 2);

impl Bench {
    /// Our host as `name`, with the TCP and on the link that the knobs describe.
    pub(super) fn new(title: &str, name: &str, knobs: &Knobs) -> Result<Bench, CliError> {
        let mut open = OpenNetwork::new(Network::new(knobs.seed, Recorder::on(title, Wire::Kernel)));
        let host = open.network.host(name, Cidr::new(OURS, 24), &knobs.stack());
        let end = open.open("kernel", KERNELS);
        open.network.link(host, end, knobs.link());
        knobs.faults(&mut open.network, host, end);
        let device = lay(KERNELS, open.mac(end), knobs)?;
        Ok(Bench { open, host, end, device, clock: Clock::start() })
    }

    /// Lets programs run at the kernel's end until they are done.
    pub(super) fn run<T: Send + 'static>(
        &mut self,
        limit: Duration,
        programs: impl FnOnce() -> Result<T, RealError> + Send + 'static,
    ) -> Result<T, CliError> {
        kernel::run(&mut self.open, &[&self.device], &self.clock, limit, programs)
            .map(|ran| ran.result)
            .map_err(CliError::failed)
    }
}

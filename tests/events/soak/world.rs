//! The world of the virtual soak: one server with a disk, or two on one stream, hosts full of clients, and what breaks.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use netlayers::base::{Duration, Instant, Rng};
use netlayers::chat::soak::{Checker, Sabotage, Talker};
use netlayers::chat::{self, Context, EventLog, Hub, Retention, SharedLog, Stream, StreamDelays};
use netlayers::layers::application::engineio::{self, SessionConfig};
use netlayers::layers::application::socketio::Value;
use netlayers::sim::apps::event_server::EventServer;
use netlayers::sim::scene::Knobs;
use netlayers::sim::{AppId, Network};
use netlayers::trace::{Recorder, Wire};

use super::disk::Disk;
use super::visitor::{Shared, Visitor};

/// What is played.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) clients: u32,
    pub(crate) rooms: u16,
    pub(crate) seconds: u64,
    pub(crate) crashes: u64,
    pub(crate) seed: u64,
    /// Servers: one has a disk, two or more share a stream.
    pub(crate) servers: u8,
    /// All clients of a kind are unreliable witnesses: by polling (0), with an upgrade (1), or by WebSocket (2).
    pub(crate) sabotage: Option<(u32, Sabotage)>,
    pub(crate) flaw: Option<Flaw>,
}

/// What may be wrong with the server's disk, with the stream, or with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The disk says that all is stored when it is not.
    AcknowledgesTooSoon,
    /// Now and then a record is missing from what is read.
    ReplaysWithAHole,
    /// Sockets are not there after a crash.
    ForgetsSockets,
    /// Now and then the answer to a poll says nothing, and what it was to say is lost.
    SwallowsAPoll,
    /// Two servers have a log each, and think that it is one.
    TwoLogs,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            clients: 100,
            rooms: 10,
            seconds: 24,
            crashes: 3,
            seed: 7,
            servers: 1,
            sabotage: None,
            flaw: None,
        }
    }
}

/// Faults that were injected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) hung_up: u32,
    pub(crate) ended: u32,
    pub(crate) reset: u32,
    pub(crate) half_open: u32,
    pub(crate) slow: u32,
    pub(crate) quit: u32,
    /// A connection of requests was cut: while a GET waited, in the middle of its answer, in the middle of a POST, and
    /// when it had come whole and was not answered.
    pub(crate) get_cut: u32,
    pub(crate) get_torn: u32,
    pub(crate) post_torn: u32,
    pub(crate) answer_lost: u32,
    /// An upgrade was cut, at each of its steps.
    pub(crate) upgrade_cut: [u32; 5],
    pub(crate) upgraded: u32,
    pub(crate) crashes: u32,
    /// Sessions that came back to another server than the one before.
    pub(crate) moved: u32,
}

/// Clients on one host.
const PER_HOST: u32 = 10;

const PORT: u16 = 3000;

pub(crate) struct World {
    plan: Plan,
    network: Network,
    servers: Vec<AppId>,
    visitors: Vec<AppId>,
    disk: Disk,
    pub(crate) shared: Rc<RefCell<Shared>>,
}

impl World {
    pub(crate) fn new(plan: &Plan) -> Self {
        let knobs = Knobs { seed: plan.seed, loss: 0.002, ..Knobs::default() };
        let rng = Rng::new(plan.seed);
        let mut network = Network::new(plan.seed, Recorder::off(Wire::Sim));
        let disk = Disk::new(plan.flaw, rng.fork("disk"));
        let stream = SharedLog::with_stride(Retention::default(), 7);
        let server_hosts: Vec<_> = (0..plan.servers)
            .map(|n| network.host(&format!("server{n}"), IpAddr::from([10, 0, 0, 1 + n]), &knobs.stack()))
            .collect();
        let servers = server_hosts.iter().zip(0..).map(|(&host, n)| {
            let (plan, disk, stream) = (plan.clone(), disk.clone(), stream.clone());
            let mut lives = rng.fork(&format!("lives of server {n}"));
            let server = EventServer::new(PORT, move |random| {
                let log: Box<dyn EventLog> = match plan.servers {
                    1 => Box::new(disk.clone()),
                    _ => {
                        let own = SharedLog::new(Retention::default());
                        let log = if plan.flaw == Some(Flaw::TwoLogs) { &own } else { &stream };
                        Box::new(Stream::new(log, StreamDelays::default(), Rng::new(lives.next_u64())))
                    }
                };
                hub(random, log)
            });
            network.app(host, server.engine(engine()))
        });
        let servers: Vec<AppId> = servers.collect();
        let addresses: Vec<_> =
            (0..plan.servers).map(|n| SocketAddr::new(IpAddr::from([10, 0, 0, 1 + n]), PORT)).collect();
        let faults = Faults::default();
        let shared = Shared { checker: Checker::default(), faults, flaw: plan.flaw };
        let shared = Rc::new(RefCell::new(shared));
        let mut visitors = Vec::new();
        for host_number in 0..plan.clients.div_ceil(PER_HOST) {
            let address = IpAddr::from([10, 0, 1, 1 + host_number as u8]);
            let host = network.host(&format!("host{host_number}"), address, &knobs.stack());
            for &server in &server_hosts {
                network.link(host, server, knobs.link());
                knobs.faults(&mut network, host, server);
            }
            for number in host_number * PER_HOST..plan.clients.min((host_number + 1) * PER_HOST) {
                let mut talker = Talker::new(number, plan.rooms, plan.seed);
                if let Some((witness, sabotage)) = plan.sabotage
                    && witness == (number % 5).min(2)
                {
                    talker.sabotage(sabotage);
                }
                let life = rng.fork(&format!("life {number}"));
                visitors.push(network.app(host, Visitor::new(talker, &addresses, &shared, life)));
            }
        }
        network.introduce_neighbours();
        World { plan: plan.clone(), network, servers, visitors, disk, shared }
    }

    /// Until everybody has come back after the last fault, and has heard its own last words.
    pub(crate) fn play(&mut self) {
        let plan = self.plan.clone();
        for crash in 1..=plan.crashes {
            let at = plan.seconds * 1000 * crash / (plan.crashes + 1);
            self.network.wait_until(Instant::from_millis(at));
            let server = self.servers[crash as usize % self.servers.len()];
            self.network.call(server, |server: &mut EventServer, io| server.crash(io));
            self.disk.crash();
            self.shared.borrow_mut().faults.crashes += 1;
            self.network.wait_until(Instant::from_millis(at + 300));
            self.network.call(server, |server: &mut EventServer, io| server.begin(io));
        }
        self.network.wait_until(Instant::from_millis(plan.seconds * 1000));
        for &visitor in &self.visitors {
            self.network.call(visitor, |visitor: &mut Visitor, io| visitor.end(io));
        }
        for second in 8..40 {
            self.network.wait_until(Instant::ZERO + Duration::from_secs(plan.seconds + second));
            let mut visitors = self.visitors.iter();
            if visitors.all(|&visitor| self.network.app_ref::<Visitor>(visitor).has_heard_itself()) {
                break;
            }
        }
        self.shared.borrow_mut().checker.finish();
    }
}

fn engine() -> engineio::Config {
    let session = SessionConfig {
        ping_interval: Duration::from_millis(2000),
        ping_timeout: Duration::from_millis(4000),
        ..SessionConfig::default()
    };
    engineio::Config { session, ..engineio::Config::default() }
}

/// What the example `event_server` does with these events.
fn hub(random: chat::Random, log: Box<dyn EventLog>) -> Hub {
    fn text(args: &[Value]) -> &str {
        args.first().and_then(Value::as_str).unwrap_or_default()
    }
    fn said(cx: &Context<'_>, args: &[Value]) -> Vec<Value> {
        let message = args.get(1).cloned().unwrap_or_default();
        vec![Value::object([("room", text(args).into()), ("from", (&*cx.id()).into()), ("msg", message)])]
    }
    let ok = || vec![Value::object([("ok", true.into())])];
    let mut hub = Hub::new(chat::Config::default(), random, log);
    hub.of("/")
        .on_connection(|cx, hello| {
            if !hello.is_recovered {
                cx.emit("auth", vec![hello.auth.clone()]);
            }
        })
        .on("join", move |cx, args, ack| {
            assert!(cx.join(text(args)).is_ok());
            ack.send(cx, ok());
        })
        .on("leave", move |cx, args, ack| {
            cx.leave(text(args));
            ack.send(cx, ok());
        })
        .on("say", move |cx, args, ack| {
            let said = said(cx, args);
            cx.to(text(args)).emit("said", said);
            ack.send(cx, ok());
        })
        .on("say-all", move |cx, args, ack| {
            let said = said(cx, args);
            cx.io().to(text(args)).emit("said", said);
            ack.send(cx, ok());
        })
        .on("volatile", |cx, args, _| {
            let said = said(cx, args);
            cx.to(text(args)).volatile().emit("said", said);
        });
    hub
}

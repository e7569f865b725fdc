//! A ping between the fragments of a message, our WebSocket over our TCP to our WebSocket over Linux's (RFC 6455 §5.4,
//! §5.5, §7.1).

use std::net::SocketAddr;
use std::thread;

use super::linux::{Bench, KERNELS};
use super::scenes::REST;
use crate::base::{Duration, Instant};
use crate::cli::error::CliError;
use crate::layers::application::websocket::{
    CloseCode, CloseReason, Config, Connection, Event, Input, MessageKind,
};
use crate::real::differences::Difference;
use crate::real::kernel::programs::{Door, Patience, serve};
use crate::real::scenes::RealStory;
use crate::sim::knob::Knobs;
use crate::sim::websocket::{WebSocketEnd, payload};
use crate::sim::{App, Io, SocketEvent};
use crate::trace::Way;

const PORT: u16 = 80;
const LIMIT: Duration = Duration::from_secs(30);
const PING: &str = "are you there?";

/// Plays the scene with a message in `fragments` fragments.
pub(super) fn between(fragments: usize) -> Result<RealStory, CliError> {
    let fragments = fragments.clamp(2, 20);
    let mut bench = Bench::new("our client, the kernel's server", "client", &Knobs::default())?;
    let to = SocketAddr::new(KERNELS, PORT);
    let client = bench.open.network.app(bench.host, Fragments::new(to, fragments));
    let patience = Patience { quiet: Duration::from_secs(1), whole: LIMIT };
    let clock = bench.clock;
    let door = Door::open(Way::WebSocket, to).map_err(CliError::failed)?;
    let served = bench.run(LIMIT, move || {
        let served = serve(Way::WebSocket, door, to, clock, 0, patience);
        thread::sleep(REST);
        served
    })?;
    let (took, back) = {
        let client = bench.open.network.app_ref::<Fragments>(client);
        (client.pong.zip(client.ping).map(|(pong, ping)| pong.since(ping)), client.back.clone())
    };
    let trace = bench.open.network.into_trace().joined(served.trace);
    let took = took.map_or_else(|| "never".into(), |took| format!("{took} after the ping"));
    let received = served.received.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let said = vec![
        format!("the pong came {took}, when one of {fragments} fragments was sent"),
        format!(
            "the server's program did nothing but wait: its one receive gave \"{}\"",
            received.collect::<String>()
        ),
        format!("it came back whole: \"{back}\""),
        "a Close each way, then a FIN each way: WebSocket ends before the TCP below it".into(),
    ];
    let differences = vec![Difference {
        what: "how long a ping takes",
        sim: "a round trip of the link".into(),
        real: "the same, and the time that two programs and a kernel take".into(),
        because:
            "the link is the simulator's, with its delay in real time; what is beyond takes time of its own"
                .into(),
    }];
    Ok(RealStory { trace, said, differences })
}

/// Sends a message in fragments, with a ping after the first; the others follow when it is answered. Closes when the
/// message has come back.
struct Fragments {
    to: SocketAddr,
    fragments: usize,
    socket: Option<WebSocketEnd>,
    ping: Option<Instant>,
    pong: Option<Instant>,
    back: String,
}

impl Fragments {
    fn new(to: SocketAddr, fragments: usize) -> Self {
        Fragments { to, fragments, socket: None, ping: None, pong: None, back: String::new() }
    }

    fn act(&mut self, io: &mut Io<'_>, input: Option<Input>) {
        let Some(socket) = &mut self.socket else { return };
        socket.give(io, input);
        while let Some(event) = socket.next(io) {
            // What the machine refuses is not sent, and the scene's end says so.
            match &event {
                Event::Open(_) => {
                    let _ = socket.machine.send_fragment(MessageKind::Text, "part 1. ", false);
                    let _ = socket.machine.ping(PING);
                    self.ping = Some(io.now());
                }
                Event::Pong(_) => {
                    self.pong = Some(io.now());
                    for number in 2..=self.fragments {
                        let (part, last) = (format!("part {number}. "), number == self.fragments);
                        let _ = socket.machine.send_fragment(MessageKind::Text, part, last);
                    }
                }
                Event::Message(message) => {
                    self.back = String::from_utf8_lossy(&payload(message)).into_owned();
                    let _ = socket.machine.close(io.now(), &CloseReason::new(CloseCode::NORMAL, "done"));
                }
                _ => {}
            }
            socket.note(io, &event);
        }
        socket.flush(io);
        if let Some(at) = socket.wake_at() {
            io.wake_at(at);
        }
    }
}

impl App for Fragments {
    fn start(&mut self, io: &mut Io<'_>) {
        // That there is no route would be seen: nothing is sent.
        let _ = io.tcp_connect(self.to);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Connected(id) = event {
            let (request, masks) = WebSocketEnd::ask(self.to.to_string(), "/", io);
            if let Ok(machine) = Connection::client(io.now(), Config::default(), request, masks) {
                self.socket = Some(WebSocketEnd::new(id, machine));
            }
        }
        let input = self.socket.as_mut().and_then(|socket| socket.input(event, io));
        self.act(io, input);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        self.act(io, Some(Input::Wake));
    }
}

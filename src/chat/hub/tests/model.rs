//! Random lives of a few clients, against a model that is too simple to be wrong: every client gets every
//! acknowledged event that it is entitled to, in order, once.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const CLIENTS: usize = 4;
const ROOMS: [&str; 3] = ["a", "b", "c"];

/// What one client does, or what happens to it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Join(usize, usize),
    Leave(usize, usize),
    /// To a room, itself included or not.
    Say(usize, usize, bool),
    Volatile(usize, usize),
    /// The connection of this client breaks; of the events sent to it, the last ones of this number were lost.
    Break(usize, usize),
    /// The same, but the hub does not notice.
    HalfOpen(usize, usize),
    Return(usize),
    Pong(usize),
    Pause,
}

fn step() -> impl Strategy<Value = Step> {
    let (client, room) = (0..CLIENTS, 0..ROOMS.len());
    prop_oneof![
        3 => (client.clone(), room.clone()).prop_map(|(c, r)| Step::Join(c, r)),
        1 => (client.clone(), room.clone()).prop_map(|(c, r)| Step::Leave(c, r)),
        6 => (client.clone(), room.clone(), any::<bool>()).prop_map(|(c, r, s)| Step::Say(c, r, s)),
        1 => (client.clone(), room).prop_map(|(c, r)| Step::Volatile(c, r)),
        1 => (client.clone(), 0usize..4).prop_map(|(c, n)| Step::Break(c, n)),
        1 => (client.clone(), 0usize..4).prop_map(|(c, n)| Step::HalfOpen(c, n)),
        3 => client.clone().prop_map(Step::Return),
        1 => client.prop_map(Step::Pong),
        1 => Just(Step::Pause),
    ]
}

/// One client, as itself and as the model sees it.
#[derive(Default)]
struct Client {
    sid: String,
    pid: String,
    /// Its present session; the number of packets of it that the client has taken.
    session: u64,
    taken: usize,
    is_there: bool,
    offset: Option<String>,
    /// The numbers of events that had their effect here.
    effects: Vec<u64>,
    rooms: BTreeSet<usize>,
    /// What the model says should have had its effect.
    entitled: Vec<u64>,
}

impl Client {
    /// Takes what came, except the last `lost` packets. What a connection that is broken brings is not taken.
    fn take(&mut self, stage: &Stage, lost: usize) {
        let packets = stage.got.get(&self.session).map(Vec::as_slice).unwrap_or_default();
        let until = packets.len().saturating_sub(lost).max(self.taken);
        for packet in &packets[self.taken..until] {
            if let Kind::Event { args, ack: None, .. } = &packet.kind {
                self.offset = args.last().and_then(Value::as_str).map(str::to_owned);
                self.effects.extend(args.first().and_then(Value::as_u64));
            }
        }
        self.taken = until;
    }
}

struct Play {
    stage: Stage,
    clients: Vec<Client>,
    sessions: u64,
    said: u64,
}

impl Play {
    fn new() -> Self {
        let mut play = Play { stage: stage(), clients: Vec::new(), sessions: 0, said: 0 };
        for _ in 0..CLIENTS {
            play.sessions += 1;
            let (sid, pid) = play.stage.connect(play.sessions);
            let session = play.sessions;
            play.clients.push(Client { sid, pid, session, is_there: true, ..Client::default() });
        }
        play
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Join(c, room) if self.clients[c].is_there => {
                self.clients[c].rooms.insert(room);
                self.stage.say(self.clients[c].session, "join", vec![ROOMS[room].into()]);
            }
            Step::Leave(c, room) if self.clients[c].is_there => {
                self.clients[c].rooms.remove(&room);
                self.stage.say(self.clients[c].session, "leave", vec![ROOMS[room].into()]);
            }
            Step::Say(c, room, to_self) if self.clients[c].is_there => {
                self.said += 1;
                let event = if to_self { "say-all" } else { "say" };
                let args = vec![ROOMS[room].into(), self.said.into()];
                self.stage.say(self.clients[c].session, event, args);
                for (other, client) in self.clients.iter_mut().enumerate() {
                    if client.rooms.contains(&room) && (to_self || other != c) {
                        client.entitled.push(self.said);
                    }
                }
            }
            Step::Volatile(c, room) if self.clients[c].is_there => {
                // Its first argument is no number, so it does not count as an effect.
                let args = vec![ROOMS[room].into(), "volatile".into()];
                self.stage.say(self.clients[c].session, "volatile", args);
            }
            Step::Break(c, lost) if self.clients[c].is_there => {
                self.clients[c].take(&self.stage, lost);
                self.clients[c].is_there = false;
                self.stage.cut(self.clients[c].session);
            }
            Step::HalfOpen(c, lost) if self.clients[c].is_there => {
                self.clients[c].take(&self.stage, lost);
                self.clients[c].is_there = false;
            }
            Step::Return(c) if !self.clients[c].is_there => self.come_back(c),
            Step::Pong(c) if self.clients[c].is_there => {
                self.clients[c].take(&self.stage, 0);
                self.stage.input(Input::Alive(SessionId(self.clients[c].session)));
            }
            Step::Pause => self.stage.wait(Duration::from_millis(300)),
            _ => {}
        }
    }

    fn come_back(&mut self, c: usize) {
        self.sessions += 1;
        let old = self.clients[c].session;
        let client = &mut self.clients[c];
        (client.session, client.taken, client.is_there) = (self.sessions, 0, true);
        let (sid, pid, offset) = (client.sid.clone(), client.pid.clone(), client.offset.clone());
        let at_once = self.stage.return_as(self.sessions, &sid, &pid, offset.as_deref());
        if !at_once {
            self.stage.wait(Duration::from_millis(200));
            // The end of a connection that broke twice at the same place comes in time; see `recovery.rs`.
            self.stage.cut(old);
            self.stage.wait(Duration::from_millis(600));
        }
        let identity = self.stage.identity(self.sessions);
        assert_eq!(identity, Some((sid, pid)), "client {c} is the same socket again");
    }

    fn check(mut self) {
        (0..CLIENTS).for_each(|c| self.step(Step::Return(c)));
        for (c, client) in self.clients.iter_mut().enumerate() {
            client.take(&self.stage, 0);
            assert_eq!(client.effects, client.entitled, "client {c}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_entitled_client_gets_every_event_in_order_and_once(steps in prop::collection::vec(step(), 1..120)) {
        let mut play = Play::new();
        steps.into_iter().for_each(|step| play.step(step));
        play.check();
    }
}

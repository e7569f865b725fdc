//! The lines of a script, one after the other, against our TCP: the first that does not hold ends it.

use std::fmt;

use super::host::Host;
use super::parse::{Deed, Fact, Line, Script, Take, When};
use super::segment::written;
use crate::base::{Duration, Instant};
use crate::layers::transport::tcp::{Connection, Event};
use crate::sim::fate::Turn;
use crate::trace::Trace;

/// A script that was played.
#[derive(Debug, Clone)]
pub struct Played {
    /// What happened, up to the line that did not hold.
    pub trace: Trace,
    /// The same as text, a line for each line of the script that held and for what was sent.
    pub story: Vec<String>,
    /// The first line that did not hold, or `Ok`.
    pub ending: Result<(), Failure>,
}

/// A line of a script that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its number; the one after the last when something is left at the end.
    pub line: usize,
    /// What the script says.
    pub expected: String,
    /// What our TCP does instead.
    pub got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}, got {}", self.line, self.expected, self.got)
    }
}

/// Plays a script.
pub fn play(script: &Script) -> Played {
    play_forked(script, &[])
}

/// Plays a script with other fates for some of its frames. The script's peer says what it says, whatever becomes of it; so
/// as a rule a line does not hold after a fork, and the run ends there.
pub fn play_forked(script: &Script, turns: &[Turn]) -> Played {
    let mut stage = Stage { host: Host::new(script, turns), story: Vec::new(), clock: Instant::ZERO };
    let mut ending = script.lines.iter().try_for_each(|line| stage.line(line));
    if ending.is_ok() {
        let after = script.lines.last().map_or(1, |line| line.number + 1);
        ending = stage.nothing_left(after, "the end of the script".into());
    }
    while let Some((at, sent)) = stage.host.sent.pop_front() {
        let text = written(&sent.segment, true, &stage.host.ends);
        stage.tell(at, &format!("> {text}"));
    }
    Played { trace: stage.host.into_trace(), story: stage.story, ending }
}

struct Stage {
    host: Host,
    story: Vec<String>,
    /// The time of the line before.
    clock: Instant,
}

impl Stage {
    fn line(&mut self, line: &Line) -> Result<(), Failure> {
        let (from, to) = match line.when {
            When::After(from, to) => (self.clock + from, self.clock + to),
            When::At(time) => (Instant::ZERO + time, Instant::ZERO + time),
        };
        if from < self.clock {
            return Err(failure(
                line,
                line.text.clone(),
                format!("a time before the line above, at {}", self.time()),
            ));
        }
        if let Deed::Sends(said) = &line.deed {
            self.host.until_sent(to);
            let Some((at, sent)) = self.host.sent.pop_front() else {
                return Err(failure(line, line.text.clone(), format!("nothing until {}", self.time())));
            };
            let text = written(&sent.segment, true, &self.host.ends);
            let mut wrong = said.differs(&sent, &self.host.ends);
            if at < from || at > to {
                wrong.push("time");
            }
            self.tell(at, &format!("> {text}"));
            self.clock = at;
            if wrong.is_empty() {
                return Ok(());
            }
            let got = format!("> {text} at {}; other than said: {}", millis(at), wrong.join(", "));
            return Err(failure(line, format!("{} at {}", line.text, millis(from)), got));
        }
        self.host.until_sent(from);
        // A claim is about now, whatever the next lines say of what was sent.
        if from > self.clock || !matches!(line.deed, Deed::State(_) | Deed::Info(_) | Deed::Event(..)) {
            self.nothing_left(line.number, line.text.clone())?;
        }
        self.clock = from;
        self.tell(from, &line.text);
        self.deed(line)
    }

    /// Whether something was sent of which no line speaks.
    fn nothing_left(&mut self, number: usize, expected: String) -> Result<(), Failure> {
        let Some((at, sent)) = self.host.sent.pop_front() else { return Ok(()) };
        let text = written(&sent.segment, true, &self.host.ends);
        self.tell(at, &format!("> {text}"));
        let got = format!("> {text} at {}, of which no line speaks", millis(at));
        Err(Failure { line: number, expected, got })
    }

    fn deed(&mut self, line: &Line) -> Result<(), Failure> {
        let host = &mut self.host;
        match &line.deed {
            Deed::Sends(_) => {}
            Deed::Arrives(said) => {
                let segment = said.complete(&host.ends);
                if let Some(told) = self.story.last_mut() {
                    *told = format!("{:>12}  < {}", millis(host.now), written(&segment, false, &host.ends));
                }
                host.arrives(&segment, said.marked);
            }
            Deed::Quiet(time) => {
                host.until_sent(self.clock + *time);
                self.nothing_left(line.number, line.text.clone())?;
                self.clock += *time;
            }
            Deed::State(state) => return claim(line, state.name(), host.state().name()),
            Deed::Info(facts) => {
                for (fact, value) in facts {
                    claim(line, value, &self.figure(*fact))?;
                }
            }
            Deed::Event(name, event) => {
                let heard: Vec<String> = host.events.iter().map(|event| format!("{event:?}")).collect();
                let is_it = |heard: &Event| heard == event;
                match host.events.iter().position(is_it) {
                    Some(place) => drop(host.events.drain(..=place)),
                    None => {
                        let heard = if heard.is_empty() { "no event".into() } else { heard.join(", ") };
                        return Err(failure(line, format!("event {name}"), heard));
                    }
                }
            }
            Deed::Listen => host.listen(),
            Deed::Connect => host.connect(),
            Deed::Accept => {
                let open = host.connection.as_ref().is_some_and(|open| open.state().is_synchronized());
                let heard = host.events.iter().position(|event| *event == Event::Connected);
                match heard.filter(|_| open) {
                    Some(place) => drop(host.events.remove(place)),
                    None => {
                        return Err(failure(
                            line,
                            "a connection to accept".into(),
                            host.state().name().into(),
                        ));
                    }
                }
            }
            Deed::Write { bytes, takes, urgent } => {
                let got = match host.write(*bytes, *urgent) {
                    Ok(taken) => format!("{taken} bytes are taken"),
                    Err(_) => "it fails".into(),
                };
                let expected = takes.map_or("it fails".into(), |taken| format!("{taken} bytes are taken"));
                return claim(line, &expected, &got);
            }
            Deed::Read(take) => return self.read(line, *take),
            Deed::Shutdown => self.call(line, |end, now| end.shutdown(now))?,
            Deed::Close => self.call(line, |end, now| end.close(now))?,
            Deed::Abort => self.call(line, |end, now| end.abort(now))?,
            Deed::NoDelay(on) => self.call(line, |end, _| end.set_nodelay(*on))?,
            Deed::KeepAlive(on) => self.call(line, |end, now| end.set_keep_alive(now, *on))?,
            Deed::UserTimeout(time) => self.call(line, |end, now| end.set_user_timeout(now, *time))?,
            Deed::Icmp(error) => host.icmp(*error),
        }
        Ok(())
    }

    fn call(&mut self, line: &Line, call: impl FnOnce(&mut Connection, Instant)) -> Result<(), Failure> {
        let done = self.host.with(call);
        done.ok_or_else(|| failure(line, line.text.clone(), "no connection".into()))
    }

    fn read(&mut self, line: &Line, take: Take) -> Result<(), Failure> {
        let most = if let Take::Bytes(bytes) = take { bytes } else { 1 };
        let (len, right) = self.host.read(most);
        let ended = self.host.connection.as_ref().is_some_and(Connection::at_end_of_stream);
        let got = match (len, right, ended) {
            (_, false, _) => "bytes that the script did not send".into(),
            (0, _, true) => "the end".into(),
            (0, _, false) => "nothing".into(),
            (len, ..) => format!("{len} bytes"),
        };
        let expected = match take {
            Take::Bytes(bytes) => format!("{bytes} bytes"),
            Take::Nothing => "nothing".into(),
            Take::End => "the end".into(),
        };
        claim(line, &expected, &got)
    }

    fn figure(&self, fact: Fact) -> String {
        let Some(info) = self.host.connection.as_ref().map(Connection::info) else {
            return "no connection".into();
        };
        let limit = |bytes: u64| if bytes == u64::MAX { "none".to_owned() } else { bytes.to_string() };
        let windows = self.host.windows.unwrap_or((u64::MAX, u64::MAX));
        let number = match fact {
            Fact::Cwnd => return limit(windows.0),
            Fact::Ssthresh => return limit(windows.1),
            Fact::Srtt => return info.srtt.map_or("none".into(), |time: Duration| time.to_string()),
            Fact::Rto => return info.rto.to_string(),
            Fact::Mss => info.mss as u64,
            Fact::Retransmissions => info.retransmissions,
            Fact::Unacked => info.unacked,
            Fact::Unsent => info.unsent,
            Fact::SndWnd => info.snd_wnd,
            Fact::RcvWnd => info.rcv_wnd,
            Fact::Acked => info.bytes_acked,
            Fact::Received => info.bytes_received,
            Fact::Urgent => info.urgent,
        };
        number.to_string()
    }

    fn tell(&mut self, at: Instant, text: &str) {
        self.story.push(format!("{:>12}  {text}", millis(at)));
    }

    fn time(&self) -> String {
        millis(self.host.now)
    }
}

fn millis(at: Instant) -> String {
    format!("{:.3} ms", at.as_millis_f64())
}

fn failure(line: &Line, expected: String, got: String) -> Failure {
    Failure { line: line.number, expected, got }
}

/// A claim of a line, in the words of both.
fn claim(line: &Line, expected: &str, got: &str) -> Result<(), Failure> {
    if expected == got {
        return Ok(());
    }
    Err(failure(line, format!("{} ({expected})", line.text), got.into()))
}

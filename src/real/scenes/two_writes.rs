//! A request in two small writes and its answer, again and again: with Nagle's algorithm, and with TCP_NODELAY.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{RealStory, play};
use crate::base::Duration;
use crate::real::compare::observed::Observed;
use crate::real::compare::stage::Stage;
use crate::real::compare::{Pair, RealKnobs, connect};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::trace::Way;

const NEXT: &str = "run it again; if it fails again, see what ends connections on 127.0.0.1";
/// Exchanges in the picture, and exchanges that are timed.
const SHOWN: usize = 2;
const TIMED: usize = 40;
/// What one write hands over.
const PART: &[u8] = b"five ";
/// Longer than a round trip over loopback, shorter than any delayed ACK.
const PAUSE: Duration = Duration::from_millis(5);

/// Plays the scene.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn two_writes() -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::Tcp);
    play(exchanges(&stage, SHOWN, false))?;
    let with = play(exchanges(&Stage::new(Way::Tcp), TIMED, false))?;
    let without = play(exchanges(&Stage::new(Way::Tcp), TIMED, true))?;
    let waited = |times: &[Duration]| times.iter().filter(|time| **time > PAUSE).count();
    let said = vec![
        told("two writes and a read, with Nagle's algorithm", &with),
        told("the same with TCP_NODELAY", &without),
        format!("exchanges that took longer than {PAUSE}: {} with it, {} without", waited(&with), waited(&without)),
        "a pause of some 40 ms is Linux's delayed ACK; it spares a connection that is young or has just been idle".into(),
    ];
    let differences = vec![Difference {
        what: "how long an exchange takes",
        sim: "the delay of an ACK, each time".into(),
        real: format!("{} at best, {} at worst", least(&with), most(&with)),
        because: "Linux acknowledges at once while it takes a connection for new or interactive (quick ACKs), and delays \
                  only then: a short test on one machine may show nothing"
            .into(),
    }];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

fn least(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or(Duration::ZERO)
}

fn most(times: &[Duration]) -> Duration {
    times.iter().max().copied().unwrap_or(Duration::ZERO)
}

fn told(what: &str, times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(Duration::ZERO);
    format!("{what}, {} times: the median takes {median}, the longest {}", times.len(), most(times))
}

/// Exchanges over one connection, and how long each took.
async fn exchanges(stage: &Stage, count: usize, nodelay: bool) -> Result<Vec<Duration>, RealError> {
    let Pair { mut client, mut server, .. } = connect(stage, &RealKnobs::default()).await?;
    client.stream().set_nodelay(nodelay).during("setting TCP_NODELAY", NEXT)?;
    let mut times = Vec::new();
    for _ in 0..count {
        let began = stage.now();
        let ask = async {
            client.write_all(PART).await.during("writing", NEXT)?;
            client.write_all(PART).await.during("writing", NEXT)?;
            read_exactly(&mut client, PART.len()).await
        };
        let answer = async {
            read_exactly(&mut server, 2 * PART.len()).await?;
            server.write_all(PART).await.during("answering", NEXT)
        };
        tokio::try_join!(ask, answer)?;
        times.push(stage.now().since(began));
    }
    Ok(times)
}

async fn read_exactly(stream: &mut Observed<'_>, len: usize) -> Result<(), RealError> {
    let mut room = vec![0; len];
    stream.read_exact(&mut room).await.during("reading", NEXT).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Kind;

    #[test]
    fn every_exchange_is_two_writes_and_an_answer() {
        let story = two_writes().expect("TCP on loopback");
        assert_eq!(story.trace.count(|kind| matches!(kind, Kind::AppWrote { .. })), 3 * SHOWN);
        assert!(story.said[0].contains(&format!("{TIMED} times")), "{:?}", story.said);
    }
}

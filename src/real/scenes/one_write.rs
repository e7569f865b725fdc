//! One write to a TCP socket, twice: with the MSS of loopback, and with a smaller one asked for.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{RealStory, play};
use crate::real::compare::stage::Stage;
use crate::real::compare::{Pair, RealKnobs, connect};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::real::tcp_info::TcpInfo;
use crate::trace::Way;

const NEXT: &str = "run it again; if it fails again, see what ends connections on 127.0.0.1";
/// Linux takes no smaller limit (`TCP_MIN_MSS`).
const LEAST_MSS: u16 = 88;

/// What one write became.
struct Cut {
    reads: usize,
    /// The kernel's own figures, where it shows them.
    mss: Option<u32>,
    segments: Option<u32>,
}

/// Plays the scene with one write of `size` bytes, and with an MSS of `mss`.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn one_write(size: usize, mss: u16) -> Result<RealStory, RealError> {
    let mss = mss.max(LEAST_MSS);
    let stage = Stage::new(Way::Tcp);
    let own = play(write(&stage, size, None))?;
    let mut said = vec![told(size, "the kernel's own MSS", &own)];
    // A system without TCP_MAXSEG shows the first half only.
    match play(write(&Stage::new(Way::Tcp), size, Some(mss))) {
        Ok(cut) => {
            said.push(told(size, &format!("an MSS of {mss} asked for (TCP_MAXSEG)"), &cut));
            if cut.mss.is_some_and(|told| told < u32::from(mss)) {
                said.push(
                    "a few bytes of each segment went to TCP options: timestamps, in every segment".into(),
                );
            }
        }
        Err(error) => said.push(error.to_string()),
    }
    said.push(
        "a read gives what has arrived by then, so the number of reads may change from run to run".into(),
    );
    let figure = |figure: Option<u32>| figure.map_or_else(|| "not shown".to_owned(), |n| n.to_string());
    let differences = vec![
        Difference {
            what: "segments for one write",
            sim: "cut at an MSS of 1460".into(),
            real: format!("{} with an MSS of {}", figure(own.segments), figure(own.mss)),
            because: "loopback has an MTU of 65536, and no Ethernet is in the way; Linux only keeps a segment below half of the peer's window".into(),
        },
        Difference {
            what: "when the last, smaller segment leaves",
            sim: "when the others are acknowledged (Nagle)".into(),
            real: "at once".into(),
            because: "Linux holds a small segment back only while another small one is under way (Minshall's change of \
                      the rule)"
                .into(),
        },
    ];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

async fn write(stage: &Stage, size: usize, mss: Option<u16>) -> Result<Cut, RealError> {
    let knobs = RealKnobs { mss, ..RealKnobs::default() };
    let Pair { mut client, mut server, .. } = connect(stage, &knobs).await?;
    let before = TcpInfo::of(client.stream()).ok().and_then(|info| info.segs_out);
    let message = vec![b'x'; size];
    let send = async { client.write_all(&message).await.during("writing", NEXT) };
    let receive = async {
        let (mut reads, mut got) = (0, 0);
        let mut room = vec![0; size];
        while got < size {
            match server.read(&mut room).await.during("reading", NEXT)? {
                0 => break,
                len => got += len,
            }
            reads += 1;
        }
        Ok(reads)
    };
    let ((), reads) = tokio::try_join!(send, receive)?;
    let info = TcpInfo::of(client.stream()).ok();
    let after = info.as_ref().and_then(|info| info.segs_out);
    let segments = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    Ok(Cut { reads, mss: info.map(|info| info.snd_mss), segments })
}

fn told(size: usize, with: &str, cut: &Cut) -> String {
    let figures = match (cut.mss, cut.segments) {
        (Some(mss), Some(segments)) => format!("{segments} of at most {mss} bytes left the client's kernel"),
        _ => "the kernel does not tell how many segments".into(),
    };
    let reads = if cut.reads == 1 { "1 read".into() } else { format!("{} reads", cut.reads) };
    format!("one write of {size} bytes, with {with}: segments: {figures}; {reads}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn loopback_carries_four_thousand_bytes_in_one_segment_and_a_small_mss_cuts_them() {
        let story = one_write(4000, 1460).expect("TCP on loopback");
        assert!(story.said[0].contains(" 1 of at most"), "{:?}", story.said);
        assert!(story.said[1].contains(" 3 of at most"), "{:?}", story.said);
    }
}

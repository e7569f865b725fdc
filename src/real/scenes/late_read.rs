//! Small writes to a TCP socket that is not read, and one late read.

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{RealStory, play};
use crate::base::Duration;
use crate::real::clock::std_duration;
use crate::real::compare::stage::Stage;
use crate::real::compare::{Pair, RealKnobs, connect};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::real::tcp_info::TcpInfo;
use crate::trace::Way;

const NEXT: &str = "run it again; if it fails again, see what ends connections on 127.0.0.1";
/// How long the server's program does nothing.
const IDLE: Duration = Duration::from_millis(50);
/// What still fits the kernel's buffers when nothing is read.
const MOST: usize = 60_000;

/// Plays the scene with `writes` writes of `each` bytes, or as many of them as the kernel's buffers hold.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn late_read(writes: usize, each: usize) -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::Tcp);
    let writes = writes.min(MOST / each.max(1)).max(1);
    let (said, segments) = play(scene(&stage, writes, each))?;
    let segments = segments.map_or_else(|| "not shown by this system".into(), |n| format!("{n} segments"));
    let differences = vec![Difference {
        what: "how many segments carried the writes",
        sim: "the first at once, the others together".into(),
        real: segments,
        because: "an acknowledgment takes a round trip in the simulation and a few microseconds on loopback: there is \
                  little for Nagle's algorithm to wait for, unless the receiver's kernel delays its ACKs"
            .into(),
    }];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

async fn scene(stage: &Stage, writes: usize, each: usize) -> Result<(Vec<String>, Option<u32>), RealError> {
    let Pair { mut client, mut server, .. } = connect(stage, &RealKnobs::default()).await?;
    let before = TcpInfo::of(client.stream()).ok().and_then(|info| info.segs_out);
    for letter in (b'a'..=b'z').cycle().take(writes) {
        let bytes = Bytes::from(vec![letter; each]);
        client.write_all(&bytes).await.during("writing", NEXT)?;
    }
    let written = stage.now();
    tokio::time::sleep(std_duration(IDLE)).await;
    let after = TcpInfo::of(client.stream()).ok().and_then(|info| info.segs_out);
    let acknowledged = TcpInfo::of(client.stream()).ok().and_then(|info| info.bytes_acked);
    let mut room = vec![0; MOST + each];
    let read = server.read(&mut room).await.during("reading", NEXT)?;
    let waited = stage.now().since(written);

    let mut said = vec![
        format!("{writes} writes of {each} bytes succeeded without a read: the kernels keep the bytes"),
        format!("{waited} after the last write, one read gave {read} bytes"),
    ];
    if read < writes * each {
        said.push("more had not arrived by then: a read gives what is there".into());
    }
    // Linux counts the SYN as one byte that was acknowledged.
    if let Some(bytes) = acknowledged {
        said.push(format!(
            "before that read, {} bytes had been acknowledged: an ACK does not mean that a program read anything",
            bytes.saturating_sub(1)
        ));
    }
    let segments = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    if let Some(segments) = segments {
        said.push(format!("the client's kernel sent {segments} segments for the writes"));
    }
    Ok((said, segments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Kind;

    #[test]
    fn ten_small_writes_are_one_late_read() {
        let story = late_read(10, 5).expect("TCP on loopback");
        assert_eq!(story.reads(), [50]);
        assert_eq!(story.trace.count(|kind| matches!(kind, Kind::AppWrote { .. })), 10);
    }
}

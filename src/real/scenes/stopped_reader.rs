//! A program writes to one that does not read, for as long as the kernel takes it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

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
/// What the program hands over at a time.
const PIECE: usize = 256 << 10;
/// More than any kernel takes without a reader; a bound for the loop.
const MOST: usize = 256 << 20;
/// A write that takes longer than this waits for the reader.
const PATIENCE: Duration = Duration::from_millis(200);

/// Plays the scene.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn stopped_reader() -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::Tcp);
    let (taken, said) = play(scene(&stage))?;
    let differences = vec![Difference {
        what: "how much a writer gets rid of without a reader",
        sim: "the two buffers that the knobs set".into(),
        real: format!("{taken} bytes"),
        because: "the kernel has a buffer at each end too; it lets both grow while a connection is fast, up to net.ipv4.tcp_wmem \
                  and tcp_rmem on Linux"
            .into(),
    }];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

async fn scene(stage: &Stage) -> Result<(usize, Vec<String>), RealError> {
    let Pair { mut client, mut server, .. } = connect(stage, &RealKnobs::default()).await?;
    let piece = vec![b'x'; PIECE];
    let mut taken = 0;
    // A write that waits has taken nothing, so it can be given up.
    while taken < MOST
        && let Ok(written) = timeout(std_duration(PATIENCE), client.write(&piece)).await
    {
        taken += written.during("writing", NEXT)?;
    }
    let acknowledged = TcpInfo::of(client.stream()).ok().and_then(|info| info.bytes_acked);
    let mut said = vec![format!("every write succeeded, until {taken} bytes were taken; the next one waits")];
    // Linux counts the SYN as one byte that was acknowledged.
    if let Some(bytes) = acknowledged {
        let bytes = bytes.saturating_sub(1);
        said.push(format!(
            "{bytes} of them are acknowledged: they are in the server's kernel, the others still in the client's own"
        ));
    }
    said.push("the server's program has read none of them, and no call has failed".into());
    let (mut read, mut room) = (0, vec![0; 4 << 20]);
    while read < taken {
        match server.read(&mut room).await.during("reading", NEXT)? {
            0 => break,
            len => read += len,
        }
    }
    said.push(format!("when it reads at last, all {read} are there"));
    Ok((taken, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_without_a_reader_waits_and_loses_nothing() {
        let story = stopped_reader().expect("TCP on loopback");
        let taken: usize = story.reads().iter().sum();
        assert!(taken > 0 && taken < MOST, "{taken}");
        assert!(story.said[0].contains(&format!("until {taken} bytes")), "{:?}", story.said);
        assert!(
            story.said.last().is_some_and(|said| said.contains(&format!("all {taken}"))),
            "{:?}",
            story.said
        );
    }
}

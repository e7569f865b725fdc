//! One large UDP datagram over loopback: is it cut? And one that is larger than any can be.
//!
//! A program cannot see fragments. It can see the MTU of the interface, and that nothing is ever joined wrongly.

use bytes::Bytes;

use super::{RealStory, UDP_NEXT as NEXT, play, udp_pair};
use crate::real::compare::stage::{CLIENT, SERVER, Stage};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::trace::{Kind, Way};

/// One byte more than a UDP datagram over IPv4 can carry: 65,535 less 20 of IPv4 and 8 of UDP is the most.
const TOO_LARGE: usize = 65_508;

/// Where Linux shows the MTU of loopback.
const LOOPBACK_MTU: &str = "/sys/class/net/lo/mtu";

/// Plays the scene with a datagram of `size` bytes.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn big_datagram(size: usize) -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::Udp);
    let mtu = loopback_mtu();
    let said = play(scene(&stage, size, mtu))?;
    let real = mtu.map_or_else(|| "not shown by this system".to_owned(), |mtu| mtu.to_string());
    let differences = vec![
        Difference {
            what: "the MTU",
            sim: "1500 bytes, as on Ethernet".into(),
            real: format!("{real} on loopback"),
            because: "loopback is no cable: it hands memory over, and large pieces are cheaper".into(),
        },
        Difference {
            what: "what can be seen of fragments",
            sim: "each with its header".into(),
            real: "nothing, on any link".into(),
            because: "IP cuts and joins below the socket: a program gets the datagram whole or not at all"
                .into(),
        },
    ];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

async fn scene(stage: &Stage, size: usize, mtu: Option<usize>) -> Result<Vec<String>, RealError> {
    let (client, server, flow) = udp_pair().await?;

    let message = Bytes::from(vec![b'x'; size]);
    let at = stage.now();
    client.send(&message).await.during("sending a datagram", "try a smaller --size")?;
    stage.record(at, CLIENT, Kind::AppWrote { flow, bytes: message });
    let mut room = vec![0; TOO_LARGE];
    let at = stage.now();
    let read = server.recv(&mut room).await.during("receiving the datagram", NEXT)?;
    let bytes = Bytes::copy_from_slice(&room[..read]);
    stage.record(at, SERVER, Kind::AppRead { flow: flow.reversed(), bytes });

    let mut said = vec![format!("one send() of {size} bytes, one recv() of {read}: the datagram came whole")];
    if let Some(mtu) = mtu {
        let packet = size + 28;
        said.push(match packet <= mtu {
            true => format!(
                "with 28 bytes of headers the packet has {packet}; the MTU of loopback is {mtu}: nothing was cut"
            ),
            false => format!("the packet has {packet} bytes and the MTU of loopback is {mtu}: IP had to cut it"),
        });
    }
    let refused = client.send(&vec![0; TOO_LARGE]).await;
    said.push(match refused {
        Err(error) => format!("a datagram of {TOO_LARGE} bytes: send() says \"{}\"", reason(&error)),
        Ok(n) => format!("a datagram of {TOO_LARGE} bytes: send() took {n}"),
    });
    said.push("no IPv4 packet is longer than 65535 bytes, header included, however large the MTU".into());
    Ok(said)
}

/// What the system says, without its number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn loopback_mtu() -> Option<usize> {
    std::fs::read_to_string(LOOPBACK_MTU).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_of_four_thousand_bytes_comes_whole_and_one_too_large_is_refused() {
        let story = big_datagram(4000).expect("UDP on loopback");
        assert_eq!(story.reads(), [4000]);
        assert!(story.said.iter().any(|said| said.contains("too long")), "{:?}", story.said);
    }
}

//! Messages frame by frame.

use tokio::io::AsyncWriteExt as _;

use super::tests::by_hand_with;
use super::*;
use crate::layers::application::websocket::{CloseCode, Deflate, Fragment, MessageKind};

/// A frame of a client whose mask is zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

fn fragment(kind: MessageKind, payload: &[u8], is_last: bool) -> Option<Fragment> {
    Some(Fragment { kind, payload: payload.to_vec().into(), is_last })
}

#[tokio::test]
async fn each_frame_of_a_message_is_received_as_it_comes() {
    let (mut near, mut server) = by_hand_with(&Builder::new().fragments(true)).await;
    let euro = "€".as_bytes();
    for (first, payload, is_last) in
        [(0x01, &b"5 "[..], false), (0x00, &euro[..1], false), (0x80, &euro[1..], true)]
    {
        // Each alone, before the next is sent; control frames are in between.
        near.write_all(&[frame(0x89, b"there?"), frame(first, payload)].concat()).await.unwrap();
        let got = server.recv_fragment().await.unwrap();
        assert_eq!(got, fragment(MessageKind::Text, payload, is_last));
    }
    near.write_all(&frame(0x82, &[7])).await.unwrap();
    assert_eq!(server.recv_fragment().await.unwrap(), fragment(MessageKind::Binary, &[7], true));
    assert!(matches!(server.recv().await, Err(WebSocketError::InFragments)));
    // A message of text ends with a whole character, no matter who has its beginning.
    near.write_all(&[frame(0x01, &euro[..2]), frame(0x80, b"")].concat()).await.unwrap();
    assert_eq!(server.recv_fragment().await.unwrap(), fragment(MessageKind::Text, &euro[..2], false));
    let Err(WebSocketError::Failed(failure)) = server.recv_fragment().await else { panic!("it is no text") };
    assert_eq!(failure.code, Some(CloseCode::INVALID_PAYLOAD));
}

#[tokio::test]
async fn the_limit_of_a_message_is_that_of_its_fragments_together() {
    let (mut near, mut server) = by_hand_with(&Builder::new().max_message(10).fragments(true)).await;
    for (first, payload) in [(0x02, &[1; 6][..]), (0x80, &[2; 4][..]), (0x02, &[3; 6][..])] {
        near.write_all(&frame(first, payload)).await.unwrap();
        let got = server.recv_fragment().await.unwrap();
        assert_eq!(got, fragment(MessageKind::Binary, payload, first == 0x80));
    }
    near.write_all(&frame(0x80, &[4; 5])).await.unwrap();
    let Err(WebSocketError::Failed(failure)) = server.recv_fragment().await else { panic!("it is too big") };
    assert_eq!(failure.code, Some(CloseCode::TOO_BIG));
}

#[tokio::test]
async fn a_message_in_one_frame_is_one_fragment_compressed_or_not_asked_for_or_not() {
    for builder in [
        Builder::new().fragments(true),
        Builder::new().fragments(true).deflate(Deflate::default()),
        Builder::new(),
    ] {
        let (near, far) = tokio::io::duplex(4096);
        let (client, server) = tokio::join!(builder.open(near, "test", "/"), builder.accept(far));
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        let text = "hello, hello, hello, hello";
        client.send(text).await.unwrap();
        let got = server.recv_fragment().await.unwrap();
        assert_eq!(got, fragment(MessageKind::Text, text.as_bytes(), true));
        let (mut sending, mut receiving) = server.split();
        sending.send(vec![1, 2]).await.unwrap();
        client.send(vec![3]).await.unwrap();
        assert_eq!(receiving.recv_fragment().await.unwrap(), fragment(MessageKind::Binary, &[3], true));
        // What still comes does not keep it from closing.
        let (closed, end) = tokio::join!(client.close(CloseCode::NORMAL), receiving.recv_fragment());
        assert_eq!((closed.unwrap().code, end.unwrap()), (CloseCode::NORMAL, None));
    }
}

//! Pictures, and what must hold of all of them.
use super::story::*;
use crate::view::look::Look;

#[test]
fn show() {
    let look = Look::default();
    let stories = [message_over_tcp(), troubled_stream(), message_over_websocket(), message_over_udp(), message_on_real_sockets(), long_transfer(300,0), long_transfer(200,10)];
    let mut all = String::new();
    for s in &stories { all += &s.draw(&look); all += "\n"; }
    all += &stories[1].draw(&Look::plain());
    all += &stories[1].draw(&Look{width:64,..look});
    all += &stories[0].draw(&Look{width:30,..look});
    all += &stories[0].draw(&Look{absolute:true,..look});
    let c = [("UDP", &stories[3]), ("TCP", &stories[0]), ("WebSocket over TCP", &stories[2])];
    all += "\n"; all += &columns(&c, &look);
    all += "\n"; all += &columns(&c, &Look::plain());
    all += "\n"; all += &columns(&c, &Look{absolute:true,..look});
    let c = [("UDP", &stories[3]), ("TCP", &stories[1]), ("long", &stories[6])];
    all += "\n"; all += &columns(&c, &look);
    std::fs::write("/tmp/ladder.txt", all).unwrap();
}

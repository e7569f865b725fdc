//! wip
use netlayers::base::{Duration, Instant};
use netlayers::layers::application::engineio::{Config, Event, Server, SessionConfig};
use netlayers::real::event_loop::{Service, serve};
use std::sync::Arc;
struct Echo;
impl Service for Echo {
    fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        if let Event::Message { session, message } = event {
            server.send(now, session, message);
        }
    }
    fn wake(&mut self, _: Instant, _: &mut Server) {}
    fn due(&self) -> Option<Instant> {
        None
    }
}
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 3000)).await.unwrap();
    let session = SessionConfig {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        ..SessionConfig::default()
    };
    let mut n = 0;
    let server = Server::new(
        Config { endpoints: vec!["/engine.io/".into(), "/socket.io/".into()], session, ..Config::default() },
        Box::new(move || {
            n += 1;
            format!("sid{n}")
        }),
    );
    println!("listening on 127.0.0.1:3000");
    serve(listener, server, Echo, Arc::default(), std::future::pending()).await;
}

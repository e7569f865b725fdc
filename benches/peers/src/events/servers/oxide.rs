//! socketioxide on hyper, with the two events that the load uses.

use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};

pub(super) fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (service, io) = SocketIo::new_svc();
        io.ns("/", on_connect);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("address").port());
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            stream.set_nodelay(true).expect("no delay");
            let service = service.clone();
            tokio::spawn(async move {
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
            });
        }
    });
}

async fn on_connect(socket: SocketRef, Data(auth): Data<Value>) {
    let _ = socket.emit("auth", &auth);
    socket.on("join", async |socket: SocketRef, Data::<String>(room), ack: AckSender| {
        socket.join(room);
        let _ = ack.send(&json!({ "ok": true }));
    });
    socket.on("say", async |socket: SocketRef, Data::<(String, Value)>((room, message)), ack: AckSender| {
        let said = json!({ "room": room, "from": socket.id, "msg": message });
        let _ = socket.to(room).emit("said", &said).await;
        let _ = ack.send(&json!({ "ok": true }));
    });
}

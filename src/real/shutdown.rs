//! When the program is asked to end: by SIGTERM, which service managers and containers send before they use force, or by
//! Ctrl-C in a terminal.

use std::future::Future;

/// Is ready when the program has been asked to end. It listens from the call on, not only from the first poll: nobody
/// who saw the program say that it is ready can come too early. To be called inside of tokio's runtime.
#[cfg(unix)]
pub fn requested() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};

    let signals =
        signal(SignalKind::terminate()).and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
    async {
        match signals {
            Ok((mut term, mut interrupt)) => {
                tokio::select! {
                    _ = term.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            // The system's own way to end a program is left.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Is ready when Ctrl-C was pressed.
#[cfg(not(unix))]
pub fn requested() -> impl Future<Output = ()> {
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

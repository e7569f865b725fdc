//! When the program is asked to end: by SIGTERM, which service managers and containers send before they use force, or
//! by Ctrl-C in a terminal.

use std::future::Future;
#[cfg(unix)]
use std::task::Poll;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Is ready when the program has been asked to end. It listens from the call on, not only from the first poll: a signal
/// sent after the program has said that it is ready cannot come too early. To be called inside of tokio's runtime.
#[cfg(unix)]
pub fn requested() -> impl Future<Output = ()> {
    any_of(&[SignalKind::terminate(), SignalKind::interrupt()])
}

/// The same for a program that has changed its terminal and must restore it: it also ends when the terminal is
/// closed (SIGHUP).
#[cfg(unix)]
pub fn of_terminal() -> impl Future<Output = ()> {
    any_of(&[SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()])
}

#[cfg(unix)]
fn any_of(kinds: &[SignalKind]) -> impl Future<Output = ()> + use<> {
    // A signal that cannot be listened for keeps the system's own way to end a program.
    let mut signals: Vec<Signal> = kinds.iter().filter_map(|kind| signal(*kind).ok()).collect();
    std::future::poll_fn(move |cx| match signals.iter_mut().any(|signal| signal.poll_recv(cx).is_ready()) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
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

/// The same: this system has no SIGHUP.
#[cfg(not(unix))]
pub fn of_terminal() -> impl Future<Output = ()> {
    requested()
}

//! The stage: the small vocabulary that lessons are written in.
//!
//! | verbs | file |
//! |---|---|
//! | `say`, `show`, `ask`, `reveal`, `check`, `fact`, `instead`, `try_next`, the knobs | `telling` |
//! | `scene`, `host`, `link`, `rule`, `listen`, `connect`, `send`, `read`, `run` | `scene` |
//! | `open_websocket`, `send_text`, `ping`, `close_websocket` | `websocket` |
//! | `event_server`, `event_client`, `emit`, `heard`, `crash` | `events` |
//! | what a run can be asked: `frames()`, `segments()`, `reads()`, `states()` | [`Seen`] |
//! | which frames a rule means | [`packet`] |
//!
//! A script tells its story in order. Nothing is printed: each verb leaves a [`Beat`](super::beat::Beat), or lets the run go on.

mod cast;
mod events;
mod leaving;
pub mod packet;
mod performance;
mod puppet;
mod scene;
mod seen;
mod telling;
mod websocket;

pub use cast::{Host, Socket};
pub use events::{EventClient, EventServer, Heard, Heartbeat};
pub(super) use leaving::SceneIsOver;
pub use performance::{Performance, PlayedScene};
pub use seen::{Seen, Segment};
pub use telling::{Guess, Stage};

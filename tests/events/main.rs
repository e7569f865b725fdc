//! The event system from outside: the chat, stock clients, hostile ones, crashes, and the soak in virtual time.

mod budget;
mod chat;
mod chat_history;
mod chat_join;
mod event_server;
mod hostile;
mod protocol_suites;
mod sim;
mod soak;
mod socketio;
mod stock_clients;
mod store;
#[path = "../support/mod.rs"]
mod support;

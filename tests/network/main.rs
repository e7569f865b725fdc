//! Simulated networks from outside: hosts, routers and links, the same bytes from the same seed, and captures of them
//! before the judge, tshark; and one end of TCP, held to scripts.

mod analysis;
mod determinism;
mod goodput;
mod hosts;
mod observer;
mod pcapng;
mod physics;
mod plots;
mod scale;
mod scripts;
#[path = "../support/mod.rs"]
mod support;
mod topology;
mod wireshark;

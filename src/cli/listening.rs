//! When a port cannot be listened on: what that means, whom to ask, and the command that works.

use std::io::{Error, ErrorKind};
use std::net::IpAddr;

use super::error::CliError;

/// A port that a command wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The command, such as `netlayers ws echo`.
    pub(super) command: &'static str,
    /// Its option for the address; empty when it has none.
    pub(super) address_option: &'static str,
    /// The address that it wanted.
    pub(super) address: IpAddr,
    /// The port that it wanted.
    pub(super) port: u16,
    /// A port that everyone may use.
    pub(super) usual: u16,
}

impl Wanted {
    /// Why it cannot be had.
    pub(super) fn refused(self, error: &Error) -> CliError {
        let Wanted { command, address_option, address, port, usual } = self;
        CliError::Failed(match error.kind() {
            ErrorKind::AddrInUse => format!(
                "port {port} of {address} is in use by another program; {} shows which\n\
                 next: {command} --port {}, or --port 0 for any that is free",
                if cfg!(target_os = "linux") {
                    format!("ss -ltnp sport = :{port}")
                } else {
                    format!("lsof -i :{port}")
                },
                port.checked_add(1).unwrap_or(usual)
            ),
            ErrorKind::PermissionDenied => format!(
                "port {port} is not for everyone: {error}; this machine's administrator may allow it\n\
                 next: {command} --port {usual}"
            ),
            ErrorKind::AddrNotAvailable if !address_option.is_empty() => {
                format!("this machine has no address {address}\nnext: {command} {address_option} 127.0.0.1")
            }
            _ => format!("listening on {address} port {port}: {error}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_cannot_be_had_leads_to_one_that_can() {
        let wanted = Wanted {
            command: "netlayers ws echo",
            address_option: "--host",
            address: IpAddr::from([127, 0, 0, 1]),
            port: 65_535,
            usual: 9001,
        };
        for (kind, expected) in [
            (ErrorKind::AddrInUse, "next: netlayers ws echo --port 9001, or --port 0"),
            (ErrorKind::PermissionDenied, "this machine's administrator may allow it"),
            (ErrorKind::AddrNotAvailable, "next: netlayers ws echo --host 127.0.0.1"),
            (ErrorKind::Other, "listening on 127.0.0.1 port 65535"),
        ] {
            let said = wanted.refused(&Error::from(kind)).to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}

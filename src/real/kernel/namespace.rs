//! A user namespace and a network namespace of our own: user_namespaces(7), network_namespaces(7).
//!
//! In a user namespace that a process has made it has every capability, over what belongs to that namespace and over
//! nothing else. Its network namespace does, so it may add interfaces to it. The user that it was outside is mapped to
//! root inside, so that programs started there (`ip`, `tcpdump`, `ping`) have those capabilities too. Files are the
//! same as before, and so is who may read them.
#![allow(unsafe_code)] // unshare(2) has no safe wrapper that is kept; the one call is at the end of this file.

use std::fs;
use std::io;

use rustix::process::{getegid, geteuid};
use rustix::thread::UnshareFlags;

use crate::real::error::{During as _, RealError};

/// Moves this process into a user and a network namespace of its own, for good.
///
/// # Errors
/// With the step that failed. The system may forbid it, and a process with more than one thread cannot.
pub fn enter() -> Result<(), RealError> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET)
        .map_err(|source| refused("making a user and a network namespace (unshare)", source))?;
    // Else a process could leave a group, and with it what that group is denied (user_namespaces(7)).
    let maps = fs::write("/proc/self/setgroups", "deny")
        .and_then(|()| fs::write("/proc/self/uid_map", format!("0 {user} 1")))
        .and_then(|()| fs::write("/proc/self/gid_map", format!("0 {group} 1")));
    maps.map_err(|source| refused("becoming root in the user namespace (/proc/self/uid_map)", source))
}

/// Moves the calling thread, and those that it will start, into another network namespace; others stay where they are.
///
/// # Errors
/// When the system refuses, as it does outside of a namespace of [`enter`]'s.
pub fn enter_network() -> Result<(), RealError> {
    unshare(UnshareFlags::NEWNET).during("making a network namespace (unshare)", "call `enter` first")
}

/// Why a system refuses, as far as its error tells, and what to do.
fn refused(step: &'static str, source: io::Error) -> RealError {
    let next = match source.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            "this system or its container forbids user namespaces: in a container, run it outside, or with \
             --security-opt seccomp=unconfined; on Ubuntu, sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; \
             on Debian, sysctl -w kernel.unprivileged_userns_clone=1; or use --wire real, which needs none"
        }
        Some(libc::ENOSPC | libc::EUSERS) => {
            "this system allows no more of them: see sysctl user.max_user_namespaces and user.max_net_namespaces, \
             or use --wire real, which needs none"
        }
        Some(libc::EINVAL | libc::ENOSYS) => {
            "a process with threads cannot, nor can a kernel without namespaces; use --wire real, which needs none"
        }
        _ => "use --wire real, which needs no namespace",
    };
    RealError::Io { step, source, next }
}

fn unshare(what: UnshareFlags) -> io::Result<()> {
    // SAFETY: it is unsafe for the table of open files only, which stays shared: `FILES` is never asked for.
    unsafe { rustix::thread::unshare_unsafe(what) }.map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_the_step_the_reason_and_what_to_do() {
        let said = |code| refused("unshare", io::Error::from_raw_os_error(code)).to_string();
        assert!(said(libc::EPERM).contains("unshare failed: Operation not permitted"));
        assert!(
            said(libc::EPERM).contains("seccomp=unconfined") && said(libc::EPERM).contains("--wire real")
        );
        assert!(said(libc::ENOSPC).contains("user.max_user_namespaces"));
        assert!(said(libc::EINVAL).contains("threads"));
    }
}

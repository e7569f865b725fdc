//! How many files, and so sockets, the program may have open: on Unix a limit of the process (`ulimit -n`), often 1024.
//!
//! A limit so low protects programs that use `select`, whose sets of descriptors end there. A server that waits with
//! epoll or kqueue may use all that the administrator allows, which is a second, harder limit (`ulimit -Hn`).

#![cfg_attr(unix, allow(unsafe_code))] // getrlimit and setrlimit have no safe wrapper in the standard library.

/// Raises the limit as far as the system lets it be raised; how many files may be open now, where that is known.
#[cfg(unix)]
pub fn raise_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a pointer to a value of the right type, which lives until they return.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return None;
        }
        let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        if limit.rlim_cur < limit.rlim_max && libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) == 0 {
            limit = raised;
        }
    }
    #[allow(clippy::useless_conversion, reason = "the type is not the same on every Unix")]
    u64::try_from(limit.rlim_cur).ok()
}

/// There is no such limit.
#[cfg(not(unix))]
pub fn raise_limit() -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_was_raised_is_not_raised_again() {
        let first = raise_limit();
        assert!(first.is_some_and(|files| files > 0));
        assert_eq!(raise_limit(), first);
    }
}

//! How many files, and so sockets, the program may have open: on Unix a limit of the process (`ulimit -n`), often 1024.
//!
//! A limit so low protects programs that use `select`, whose sets of descriptors end there. A server that waits with
//! epoll or kqueue may use all that the administrator allows, which is a second, harder limit (`ulimit -Hn`).

/// Raises the limit as far as the system lets it be raised; how many files may be open now, where that is known and
/// there is an end to it.
#[cfg(unix)]
pub fn raise_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_ok() {
        true => limit.maximum,
        false => limit.current,
    }
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
        assert!(first.is_none_or(|files| files > 0));
        assert_eq!(raise_limit(), first);
    }
}

//! The source routes of connections (RFC 9293 §3.9.2.1): nearly always there are none.

use std::collections::BTreeMap;

use super::tcp::TcpKey;
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::internet::source_route::SourceRoute;

/// Which routers the segments of a connection pass. Never more than there are connections.
#[derive(Debug, Default)]
pub(super) struct SourceRoutes(BTreeMap<TcpKey, Named>);

/// A route, and who named it.
#[derive(Debug)]
struct Named {
    route: SourceRoute,
    by_program: bool,
}

impl SourceRoutes {
    /// The program that opens the connection names a route (MUST-51).
    pub(super) fn choose(&mut self, key: TcpKey, route: SourceRoute) {
        if !route.routers().is_empty() {
            self.0.insert(key, Named { route, by_program: true });
        }
    }

    /// A packet of the connection came by a route: the answers go back the same way (MUST-53), by the last one that came
    /// (SHLD-24), unless the program has named one (MUST-52).
    #[inline]
    pub(super) fn came(&mut self, key: TcpKey, header: &Ipv4Header) {
        if !header.options.is_empty() {
            self.came_with_options(key, header);
        }
    }

    fn came_with_options(&mut self, key: TcpKey, header: &Ipv4Header) {
        if let Some(route) = SourceRoute::back(header)
            && self.0.get(&key).is_none_or(|named| !named.by_program)
        {
            self.0.insert(key, Named { route, by_program: false });
        }
    }

    #[inline]
    pub(super) fn of(&self, key: TcpKey) -> Option<&SourceRoute> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&key).map(|named| &named.route)
    }

    pub(super) fn forget(&mut self, key: TcpKey) {
        self.0.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::layers::internet::source_route::forward;

    /// A packet that came through these routers.
    fn through(routers: &[Ipv4Addr]) -> Ipv4Header {
        let sent = Ipv4Header::new(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 9, 1), 6, 20);
        let route = SourceRoute::through(routers).expect("few enough");
        routers.iter().fold(route.direct(sent), |header, own| forward(&header, |_| *own).expect("it goes on"))
    }

    #[test]
    fn what_the_program_named_counts_more_than_what_came_and_the_last_that_came_most() {
        let [a, b] = [Ipv4Addr::new(10, 0, 1, 1), Ipv4Addr::new(10, 0, 2, 1)];
        let key = TcpKey::default();
        let mut routes = SourceRoutes::default();
        routes.came(key, &through(&[a, b]));
        assert_eq!(routes.of(key), SourceRoute::through(&[b, a]).as_ref());
        routes.came(key, &through(&[a]));
        assert_eq!(routes.of(key), SourceRoute::through(&[a]).as_ref());
        routes.choose(key, SourceRoute::through(&[b]).expect("one fits"));
        routes.came(key, &through(&[a]));
        assert_eq!(routes.of(key), SourceRoute::through(&[b]).as_ref());
        routes.forget(key);
        assert_eq!(routes.of(key), None);
    }
}

//! Asynchronous reports: what does not end a connection, and its program may want to know (RFC 9293 §3.9.1.8).

use std::sync::Arc;

use super::connection::Connection;
use super::interface::{IcmpError, Output, Report};

/// Reports that the program has not taken yet: of each kind the latest.
#[derive(Debug, Default)]
pub(super) struct Reports {
    retransmissions: bool,
    icmp: Option<IcmpError>,
    urgent: bool,
}

impl Reports {
    /// The next one to tell.
    pub(super) fn take(&mut self) -> Option<Report> {
        if std::mem::take(&mut self.retransmissions) {
            Some(Report::Retransmissions)
        } else if std::mem::take(&mut self.urgent) {
            Some(Report::Urgent)
        } else {
            self.icmp.take().map(Report::Icmp)
        }
    }
}

impl Connection {
    /// Whether the program wants reports (SHLD-20). It may look at [`info`](Connection::info) without them.
    pub fn set_reports(&mut self, on: bool) {
        Arc::make_mut(&mut self.config).reports = on;
    }

    /// Tells the program, if it wants to know.
    pub(super) fn report(&mut self, report: Report) {
        if !self.config.reports {
            return;
        }
        let reports = &mut self.events.reports;
        match report {
            Report::Retransmissions => reports.retransmissions = true,
            Report::Icmp(error) => reports.icmp = Some(error),
            Report::Urgent => reports.urgent = true,
        }
    }

    /// The retransmission timer went off. At the threshold R1 the program learns of it, and IP gets the advice that the
    /// way may be dead (RFC 9293 §3.8.3, MUST-20 and SHLD-9). R2 is the user timeout.
    pub(super) fn count_timeout(&mut self) {
        self.timeouts = self.timeouts.saturating_add(1);
        if self.timeouts == self.config.r1.max(1) {
            self.report(Report::Retransmissions);
            self.push(Output::NegativeAdvice);
        }
    }
}

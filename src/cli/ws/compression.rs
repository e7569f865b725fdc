//! The options of compression (RFC 7692), alike at both ends.

use clap::Args;

use crate::cli::number::number;
use crate::layers::application::websocket::Deflate;

/// What is wished for about compression.
#[derive(Debug, Args)]
pub(super) struct Compression {
    /// Compress messages when the other end agrees (RFC 7692), as --compress 6
    #[arg(long)]
    deflate: bool,
    /// Compress them this hard, from 1 (fast) to 9 (small)
    #[arg(long, value_name = "LEVEL", value_parser = number(1_u8, 9, 6))]
    compress: Option<u8>,
    /// Keep what was said before, in both directions, to compress the next message with: it gets shorter, for some
    /// 340 KiB at each end
    #[arg(long)]
    takeover: bool,
}

impl Compression {
    /// What the connection is to be told; `None` when there is to be no compression.
    pub(super) fn wishes(&self) -> Option<Deflate> {
        let wanted = self.deflate || self.compress.is_some() || self.takeover;
        wanted.then(|| {
            let usual = Deflate::default();
            Deflate {
                level: self.compress.unwrap_or(usual.level),
                server_context_takeover: self.takeover,
                client_context_takeover: self.takeover,
                ..usual
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(deflate: bool, compress: Option<u8>, takeover: bool) -> Option<(u8, bool, bool)> {
        let wishes = Compression { deflate, compress, takeover }.wishes()?;
        Some((wishes.level, wishes.server_context_takeover, wishes.client_context_takeover))
    }

    #[test]
    fn each_option_asks_for_compression() {
        assert_eq!(wishes(false, None, false), None);
        assert_eq!(wishes(true, None, false), Some((6, false, false)));
        assert_eq!(wishes(false, Some(9), false), Some((9, false, false)));
        assert_eq!(wishes(false, None, true), Some((6, true, true)));
        assert_eq!(wishes(true, Some(1), true), Some((1, true, true)));
    }
}

//! The content of a block of a pcapng file: an interface, or a packet.

use super::{CaptureError, Captured, Endian, LinkType, captured_packet};
use crate::view::pcapng::option;

#[derive(Debug, Clone, Copy)]
pub(super) struct Interface {
    link: LinkType,
    snap_len: usize,
    resolution: Resolution,
    fcs: usize,
}

/// The unit of timestamps: a power of 10 or of 2 below a second.
#[derive(Debug, Clone, Copy)]
enum Resolution {
    Ten(u8),
    Two(u8),
}

/// The body of a block, read from its front.
pub(super) struct Body<'a> {
    pub(super) rest: &'a [u8],
    /// Where `rest` begins in the file.
    pub(super) at: u64,
    pub(super) endian: Endian,
}

impl<'a> Body<'a> {
    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], CaptureError> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.malformed(what, format!("{n} bytes"), &format!("{} left", self.rest.len())));
        };
        self.rest = rest;
        self.at += n as u64;
        Ok(taken)
    }

    pub(super) fn malformed(&self, what: &'static str, expected: String, got: &str) -> CaptureError {
        CaptureError::Malformed { what, offset: self.at, expected, got: got.into() }
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, CaptureError> {
        let bytes = self.take(2, what)?;
        Ok(self.endian.u16([bytes[0], bytes[1]]))
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, CaptureError> {
        let bytes = self.take(4, what)?;
        Ok(self.endian.u32([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// The next option; `None` after the last.
    fn option(&mut self) -> Result<Option<(u16, &'a [u8])>, CaptureError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let code = self.u16("option code")?;
        let len = usize::from(self.u16("option length")?);
        if code == option::END {
            return Ok(None);
        }
        let value = self.take(len, "option value")?;
        // The padding of the very last option is missing in some files.
        self.take((len.next_multiple_of(4) - len).min(self.rest.len()), "padding")?;
        Ok(Some((code, value)))
    }

    pub(super) fn interface(&mut self) -> Result<Interface, CaptureError> {
        let link = LinkType::from_number(self.u16("link type")?);
        self.u16("reserved")?;
        let snap_len = match self.u32("snapshot length")? {
            0 => usize::MAX,
            len => len as usize,
        };
        let mut interface = Interface { link, snap_len, resolution: Resolution::Ten(6), fcs: 0 };
        while let Some((code, value)) = self.option()? {
            match (code, value) {
                (option::IF_TSRESOL, [power]) if power & 0x80 != 0 => {
                    interface.resolution = Resolution::Two(power & 0x7f);
                }
                (option::IF_TSRESOL, [power]) => interface.resolution = Resolution::Ten(*power),
                (option::IF_FCSLEN, [len]) => interface.fcs = usize::from(*len),
                _ => {}
            }
        }
        Ok(interface)
    }

    pub(super) fn enhanced_packet(&mut self, interfaces: &[Interface]) -> Result<Captured, CaptureError> {
        let at = self.at;
        let number = self.u32("interface")? as usize;
        let Some(interface) = interfaces.get(number) else {
            return Err(CaptureError::Malformed {
                what: "interface",
                offset: at,
                expected: format!("below {}, the interfaces described before", interfaces.len()),
                got: number.to_string(),
            });
        };
        let high = self.u32("timestamp")?;
        let low = self.u32("timestamp")?;
        let captured = self.u32("captured length")? as usize;
        let original = self.u32("original length")? as usize;
        let bytes = self.take(captured, "packet data")?.to_vec();
        self.take((captured.next_multiple_of(4) - captured).min(self.rest.len()), "padding")?;
        let at_nanos = interface.resolution.nanos(u64::from(high) << 32 | u64::from(low));
        let mut packet =
            captured_packet(Some(at_nanos), number, interface.link, interface.fcs, bytes, original);
        while let Some((code, value)) = self.option()? {
            if code == option::COMMENT {
                packet.comments.push(String::from_utf8_lossy(value).into_owned());
            }
        }
        Ok(packet)
    }

    /// A packet without a time, on the first interface.
    pub(super) fn simple_packet(&mut self, interfaces: &[Interface]) -> Result<Captured, CaptureError> {
        let Some(interface) = interfaces.first() else {
            return Err(self.malformed("simple packet", "an interface described before".into(), "none"));
        };
        let original = self.u32("original length")? as usize;
        let captured = original.min(interface.snap_len);
        let bytes = self.take(captured, "packet data")?.to_vec();
        Ok(captured_packet(None, 0, interface.link, interface.fcs, bytes, original))
    }
}

impl Resolution {
    /// Units as nanoseconds, as far as 64 bits go.
    fn nanos(self, units: u64) -> u64 {
        const NANOS: u128 = 1_000_000_000;
        let per_second = match self {
            Resolution::Ten(power) => 10u128.checked_pow(u32::from(power)),
            Resolution::Two(power) => 1u128.checked_shl(u32::from(power)),
        };
        // Units too small for 128 bits make every 64-bit time less than a nanosecond.
        let Some(per_second) = per_second.filter(|per_second| *per_second > 0) else { return 0 };
        u64::try_from(u128::from(units) * NANOS / per_second).unwrap_or(u64::MAX)
    }
}

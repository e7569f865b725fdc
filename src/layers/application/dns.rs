//! DNS messages, as far as an observer needs them: the header, the question, and the first answers (RFC 1035 §4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------------------------------+-+-------+-+-+-+-+-----+-------+
//! |              id               |Q|opcode |A|T|R|R|  Z  | RCODE |
//! +-------------------------------+-+-------+-+-+-+-+-----+-------+
//! |     number of questions       |       number of answers       |
//! +-------------------------------+-------------------------------+
//! | number of authority records   | number of additional records  |
//! +-------------------------------+-------------------------------+
//! ```
//!
//! A name is a chain of labels; a label of the form `11......` points back to where the rest stood before (§4.1.4). What
//! points at itself would never end: so a name may point back only, and has 255 bytes at most. Left out: making messages
//! beyond the header, and every record but addresses and names.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};

/// The port of a server.
pub const PORT: u16 = 53;
/// The port of names in a local network (RFC 6762).
pub const MULTICAST_PORT: u16 = 5353;
/// The longest name (RFC 1035 §2.3.4).
const MAX_NAME: usize = 255;

/// The header: 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DnsHeader {
    /// Ties an answer to its question.
    pub id: u16,
    /// Whether it is an answer, and all the other flags.
    pub flags: u16,
    /// Number of questions.
    pub questions: u16,
    /// Number of answers.
    pub answers: u16,
    /// Number of records that say which servers know.
    pub authorities: u16,
    /// Number of records beside the point.
    pub additionals: u16,
}

const RCODES: &[(u64, &str)] = &[
    (0, "no error"),
    (1, "format error"),
    (2, "server failure"),
    (3, "no such name"),
    (4, "not implemented"),
    (5, "refused"),
];

impl DnsHeader {
    /// Whether it is an answer.
    pub fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// What went wrong, in words.
    pub fn error(&self) -> Option<String> {
        let code = u64::from(self.flags & 0xf);
        let found = RCODES.iter().find(|(known, _)| *known == code);
        (code != 0).then(|| found.map_or_else(|| format!("error {code}"), |(_, words)| (*words).to_owned()))
    }
}

impl Header for DnsHeader {
    const PROTOCOL: &'static str = "DNS";
    const LAYER: Layer = Layer::Application;
    const FIELDS: &'static [Field] = &[
        Field::new("id", 16, Show::Hex, "RFC 1035 §4.1.1"),
        Field::new("QR", 1, Show::Names(&[(0, "query"), (1, "response")]), "RFC 1035 §4.1.1"),
        Field::new("opcode", 4, Show::Dec, "RFC 1035 §4.1.1"),
        Field::new("flags", 4, Show::Flags(&["AA", "TC", "RD", "RA"]), "RFC 1035 §4.1.1"),
        Field::new("Z", 3, Show::Hex, "RFC 1035 §4.1.1"),
        Field::new("RCODE", 4, Show::Names(RCODES), "RFC 1035 §4.1.1"),
        Field::new("questions", 16, Show::Dec, "RFC 1035 §4.1.1"),
        Field::new("answers", 16, Show::Dec, "RFC 1035 §4.1.1"),
        Field::new("authority records", 16, Show::Dec, "RFC 1035 §4.1.1"),
        Field::new("additional records", 16, Show::Dec, "RFC 1035 §4.1.1"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        Ok(DnsHeader {
            id: r.u16("id")?,
            flags: r.u16("flags")?,
            questions: r.u16("questions")?,
            answers: r.u16("answers")?,
            authorities: r.u16("authority records")?,
            additionals: r.u16("additional records")?,
        })
    }

    fn emit(&self, w: &mut Writer) {
        for number in [self.id, self.flags, self.questions, self.answers, self.authorities, self.additionals]
        {
            w.u16(number);
        }
    }
}

/// A message in a line: `query A example.org`, `response A example.org = 192.0.2.1`. `None` when it is no message.
///
/// Names are as they came: escape them before showing.
pub fn line(message: &[u8]) -> Option<String> {
    let mut r = Reader::new(Layer::Application, DnsHeader::PROTOCOL, message);
    let header = DnsHeader::parse(&mut r).ok()?;
    // A message about nothing is rather something else.
    if header.questions == 0 && header.answers == 0 {
        return None;
    }
    let mut at = r.position();
    let mut line = if header.is_response() { "response".to_owned() } else { "query".to_owned() };
    for _ in 0..header.questions.min(1) {
        let (name, end) = name(message, at)?;
        let kind = number(message, end)?;
        line.push_str(&format!(" {} {name}", kind_name(kind)));
        at = end + 4;
    }
    if let Some(error) = header.error() {
        return Some(format!("{line}: {error}"));
    }
    let mut answers = Vec::new();
    // Further questions make it unlikely that answers are found where they are looked for.
    let count = if header.questions > 1 { 0 } else { header.answers.min(8) };
    for _ in 0..count {
        let Some((answer, end)) = record(message, at, header.questions == 0) else { break };
        answers.push(answer);
        at = end;
    }
    let unread = usize::from(header.answers) - answers.len().min(usize::from(header.answers));
    if !answers.is_empty() {
        line.push_str(&format!(" = {}", answers.join(", ")));
    }
    if unread > 0 && header.is_response() {
        line.push_str(&format!(" and {unread} more"));
    }
    Some(line)
}

/// One record in words, and where it ends.
fn record(message: &[u8], at: usize, named: bool) -> Option<(String, usize)> {
    let (owner, end) = name(message, at)?;
    let kind = number(message, end)?;
    let start = end + 10;
    let len = usize::from(number(message, end + 8)?);
    let data = message.get(start..start + len)?;
    let text = match kind {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
        28 => Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
        2 | 5 | 12 => format!("{} {}", kind_name(kind), name(message, start)?.0),
        other => kind_name(other),
    };
    Some((if named { format!("{owner} {text}") } else { text }, start + len))
}

fn kind_name(kind: u16) -> String {
    let name = match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        43 => "DS",
        46 => "RRSIG",
        48 => "DNSKEY",
        64 => "SVCB",
        65 => "HTTPS",
        255 => "ANY",
        other => return format!("TYPE{other}"),
    };
    name.to_owned()
}

fn number(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]))
}

/// The name that begins at `at`, and where what follows it begins.
fn name(message: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut name = Vec::new();
    let mut end = None;
    loop {
        let len = *message.get(at)?;
        match len >> 6 {
            0 if len == 0 => {
                let name =
                    if name.is_empty() { ".".into() } else { String::from_utf8_lossy(&name).into_owned() };
                return Some((name, end.unwrap_or(at + 1)));
            }
            0 => {
                let label = message.get(at + 1..at + 1 + usize::from(len))?;
                if name.len() + label.len() >= MAX_NAME {
                    return None;
                }
                if !name.is_empty() {
                    name.push(b'.');
                }
                name.extend_from_slice(label);
                at += 1 + usize::from(len);
            }
            3 => {
                let to = usize::from(number(message, at)? & 0x3fff);
                // Only back, so that it comes to an end.
                if to >= at {
                    return None;
                }
                end.get_or_insert(at + 2);
                at = to;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A query for the address of `a.example`, or the answer to it.
    fn message(response: bool) -> Vec<u8> {
        let flags = if response { 0x81 } else { 0x01 };
        let mut message = vec![0, 7, flags, 0, 0, 1, 0, u8::from(response) * 2, 0, 0, 0, 0];
        message.extend(b"\x01a\x07example\0\0\x01\0\x01");
        if response {
            // The first answer's name is the question's; it is another name for `b.example`, of which the end is again.
            message.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x09\0\x04\x01b\xc0\x0e");
            message.extend(b"\xc0\x27\0\x01\0\x01\0\0\0\x09\0\x04\xc0\0\x02\x01");
        }
        message
    }

    #[test]
    fn a_question_and_its_answer_are_told_in_a_line() {
        assert_eq!(line(&message(false)).unwrap(), "query A a.example");
        assert_eq!(line(&message(true)).unwrap(), "response A a.example = CNAME b.example, 192.0.2.1");
        let mut failed = message(true);
        failed[3] = 3;
        assert_eq!(line(&failed).unwrap(), "response A a.example: no such name");
    }

    #[test]
    fn a_name_that_points_at_itself_ends() {
        let mut message = message(false);
        message[12..14].copy_from_slice(&[0xc0, 0x0c]);
        assert_eq!(line(&message), None);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(numbers: (u16, u16, u16, u16, u16, u16)) {
            let (id, flags, questions, answers, authorities, additionals) = numbers;
            let header = DnsHeader { id, flags, questions, answers, authorities, additionals };
            let mut w = Writer::new();
            header.emit(&mut w);
            prop_assert_eq!(w.len(), header.header_len());
            let mut r = Reader::new(Layer::Application, "DNS", w.as_slice());
            prop_assert_eq!(DnsHeader::parse(&mut r).unwrap(), header);
        }

        #[test]
        fn any_bytes_are_no_reason_to_panic(
            changes in proptest::collection::vec((0usize..70, any::<u8>()), 0..8), cut in 0usize..80,
            noise in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut message = message(true);
            for (at, value) in changes {
                let at = at % message.len();
                message[at] = value;
            }
            message.truncate(cut);
            let _ = (line(&message), line(&noise));
        }
    }
}

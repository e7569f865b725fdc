//! Bytes pasted as text: plain hexadecimal, and the dumps of other programs, with offsets before the bytes and letters
//! behind them.
//!
//! ```text
//! 0000   45 00 00 29 ...   E..)         Wireshark, and our own view
//! 00000000: 4500 0029 ...  E..)         xxd
//!         0x0000:  4500 0029 ...  E..)  tcpdump -x and -X; the lines between its packets are passed over
//! 00000000  45 00 00 29 ...  |E..)|     hexdump -C
//! 0000000 0045 2900 ...                 hexdump and od -x: words of two bytes in the byte order of a PC
//! 0000000 45 00 00 29 ...               od -t x1, with octal offsets
//! ```
//!
//! The offset of the next line says where the bytes of a line end. In the last line, letters are distinguished from bytes by
//! what they say: they must be those bytes, printed. A dump that skips an offset is refused, for a packet with a hole
//! would be a wrong packet. Offset 0 begins a new packet.

use crate::view::look::escape;

/// The most bytes of one packet.
const MOST_BYTES: usize = 1 << 18;

/// Why a text is no packet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotBytes(String);

/// The packets of a pasted text: at least one, none of them empty.
///
/// # Errors
/// Says what is no hexadecimal, and where.
pub fn packets(text: &[u8]) -> Result<Vec<Vec<u8>>, NotBytes> {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).collect();
    match first_line(&lines) {
        Some(first) => Dump::default().read(&lines[first..], first),
        None => plain(text).map(|bytes| vec![bytes]),
    }
}

/// A line that may be one of a dump.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    offset: &'a str,
    /// A `0x` before it or a colon behind it leaves no doubt.
    marked: bool,
    /// The bytes begin after more than one blank.
    apart: bool,
    rest: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Option<Line<'a>> {
        let line = line.trim_ascii_start();
        let (hex, line) = match line.strip_prefix(b"0x") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (offset, rest) = line.split_at(digits);
        let (colon, rest) = match rest.strip_prefix(b":") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let ends = rest.is_empty() || blanks > 0;
        if !(3..=16).contains(&digits) || !ends {
            return None;
        }
        let offset = str::from_utf8(offset).ok()?;
        Some(Line { offset, marked: hex || colon, apart: blanks > 1, rest: &rest[blanks..] })
    }

    fn offset(&self, radix: u32) -> Option<usize> {
        usize::from_str_radix(self.offset, radix).ok()
    }

    /// Whether its groups are words of two bytes, the lower one first: as `hexdump` and `od -x` have them on a PC, with
    /// offsets of seven digits.
    fn swapped(&self) -> bool {
        let mut groups =
            self.rest.split(u8::is_ascii_whitespace).filter(|group| !group.is_empty()).peekable();
        !self.marked
            && self.offset.len() == 7
            && groups.peek().is_some()
            && groups.all(|group| group.len() == 4 && group.iter().all(u8::is_ascii_hexdigit))
    }
}

/// The line with which a dump begins; `None` when the text is none.
fn first_line(lines: &[&[u8]]) -> Option<usize> {
    let mut found = lines.iter().enumerate().filter_map(|(at, line)| Some((at, Line::of(line)?)));
    let (at, first) = found.find(|(_, line)| line.offset(16) == Some(0))?;
    let begins = lines[..at].iter().all(|line| line.is_empty());
    let group = first.rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let second = lines[at + 1..].iter().find_map(|line| Line::of(line));
    // Four zeros in front of groups of four may be an offset or two bytes: then the second line has to decide.
    let fits = second.is_some_and(|second| radix_of(&first, &second).is_some());
    let sure = first.marked || (group > 0 && (first.apart || group != first.offset.len()));
    (sure || (begins && fits)).then_some(at)
}

/// The radix in which the offset of the second line is the number of bytes in the first.
fn radix_of(first: &Line<'_>, second: &Line<'_>) -> Option<u32> {
    [16, 8, 10].into_iter().find(|radix| {
        second.offset(*radix).is_some_and(|count| {
            let Some((bytes, rest)) = take(first.rest, count) else { return false };
            !bytes.is_empty() && (rest.is_empty() || says(&bytes, rest) || group(rest).is_none())
        })
    })
}

/// The first `count` bytes of a line, and what comes after them.
fn take(mut rest: &[u8], count: usize) -> Option<(Vec<u8>, &[u8])> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        rest = rest.trim_ascii_start();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits == 0 || digits % 2 == 1 || bytes.len() + digits / 2 > count {
            return None;
        }
        bytes.extend(rest[..digits].chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])));
        rest = &rest[digits..];
    }
    Some((bytes, rest))
}

fn digit(byte: u8) -> u8 {
    char::from(byte).to_digit(16).unwrap_or(0) as u8
}

/// Whether a text behind some bytes is these bytes, printed. Blanks do not count: dumps put them where they like.
fn says(bytes: &[u8], text: &[u8]) -> bool {
    let text = text.trim_ascii();
    // Some dumps put the text between two signs, which may as well be its first and last letter.
    let open = text.strip_prefix(b"|").or(text.strip_prefix(b">"));
    let close = |text: &[u8]| text.ends_with(b"|") || text.ends_with(b"<");
    let within = open.filter(|text| close(text)).map(|text| &text[..text.len() - 1]);
    [Some(text), within, open].into_iter().flatten().any(|text| is_printed(bytes, text))
}

/// Whether a text is these bytes, printed, and nothing else.
fn is_printed(bytes: &[u8], text: &[u8]) -> bool {
    let mut letters = text.iter().copied().filter(|letter| *letter != b' ').peekable();
    let as_printed = bytes.iter().filter(|byte| **byte != b' ').all(|byte| match letters.next() {
        Some(letter) if byte.is_ascii_graphic() => letter == *byte,
        // What cannot be printed is some sign or other, of one byte or several.
        Some(letter) => {
            while letter >= 0xc0 && letters.next_if(|next| next & 0xc0 == 0x80).is_some() {}
            true
        }
        None => false,
    });
    as_printed && letters.next().is_none() && !text.is_empty()
}

/// A dump being read.
#[derive(Debug, Default)]
struct Dump {
    packets: Vec<Vec<u8>>,
    current: Vec<u8>,
    /// The line whose bytes are not taken yet, for the offset of the next one gives its length.
    last: Option<(usize, Vec<u8>)>,
    /// A `*` stood below it: it is repeated up to the next offset.
    repeated: bool,
    swapped: bool,
    radix: Option<u32>,
    /// Where the letters of the lines before began.
    width: Option<usize>,
}

impl Dump {
    fn read(mut self, lines: &[&[u8]], first: usize) -> Result<Vec<Vec<u8>>, NotBytes> {
        for (number, line) in (first + 1..).zip(lines) {
            if line.trim_ascii() == b"*" && self.last.is_some() {
                self.repeated = true;
                continue;
            }
            let Some(line) = Line::of(line) else { continue };
            if line.offset(16) == Some(0) {
                self.end()?;
                self.swapped = line.swapped();
                self.radix = None;
                self.width = None;
            } else if self.last.is_none() && self.current.is_empty() || !self.next(&line, number)? {
                continue;
            }
            self.last = (!line.rest.is_empty()).then(|| (number, line.rest.to_vec()));
        }
        self.end()?;
        if self.packets.is_empty() {
            return Err(NotBytes("no bytes: expected hexadecimal text, such as 45000028".into()));
        }
        Ok(self.packets)
    }

    /// A further line ends the one before. False when it is not one of the dump but a word like `added`.
    fn next(&mut self, line: &Line<'_>, number: usize) -> Result<bool, NotBytes> {
        let looks_like_bytes = line.rest.is_empty() || group(line.rest).is_some();
        let before = self.current.len();
        let radix = self.radix.unwrap_or_else(|| self.radix_for(line));
        let Some(offset) = line.offset(radix).filter(|_| looks_like_bytes) else { return Ok(false) };
        let wrong = |expected: String| {
            let said = line.offset;
            NotBytes(format!("line {number} of the dump: expected {expected}, got offset {said}"))
        };
        if offset <= before || offset > MOST_BYTES {
            return Err(wrong(format!("an offset above {before:#x}")));
        }
        let Some((_, rest)) = self.last.take() else {
            return Err(wrong("offset 0 of the next packet".into()));
        };
        let bytes = match (self.repeated, self.width) {
            (false, _) => self.bytes(&rest, offset - before),
            (true, Some(width)) => self.bytes(&rest, width),
            (true, None) => last_line(&rest, 16),
        };
        let bytes = bytes.ok_or_else(|| {
            wrong(format!(
                "an offset that fits the line before, at {before:#x}: a line is missing or too short"
            ))
        })?;
        self.current.extend(&bytes);
        while self.repeated && self.current.len() < offset {
            let more = bytes.len().min(offset - self.current.len());
            self.current.extend(&bytes[..more]);
        }
        self.repeated = false;
        self.radix = Some(radix);
        self.width = Some(self.width.unwrap_or(0).max(bytes.len()));
        Ok(true)
    }

    /// In which radix the offset of a packet's second line is written: the one in which it counts the first line's bytes.
    fn radix_for(&self, second: &Line<'_>) -> u32 {
        let first = self.last.as_ref().map_or(&[][..], |(_, rest)| rest);
        if self.repeated {
            // How often it is repeated is not known. `od` has seven digits, and is octal.
            return if second.offset.len() == 7 && !self.swapped { 8 } else { 16 };
        }
        if self.swapped {
            let all = first.iter().filter(|byte| byte.is_ascii_hexdigit()).count() / 2;
            let fits = |radix| second.offset(radix).is_some_and(|offset| offset.div_ceil(2) * 2 == all);
            return if fits(16) { 16 } else { 8 };
        }
        radix_of(&Line { offset: "0", marked: false, apart: false, rest: first }, second).unwrap_or(16)
    }

    /// Exactly `count` bytes from a line.
    fn bytes(&self, rest: &[u8], count: usize) -> Option<Vec<u8>> {
        if !self.swapped {
            return take(rest, count).map(|(bytes, _)| bytes);
        }
        let (mut bytes, _) = take(rest, count.next_multiple_of(2))?;
        for pair in bytes.chunks_mut(2) {
            pair.reverse();
        }
        bytes.truncate(count);
        Some(bytes)
    }

    /// The end of a packet: the last line's length is not told by an offset.
    fn end(&mut self) -> Result<(), NotBytes> {
        if let Some((number, rest)) = self.last.take() {
            let most = self.width.unwrap_or(usize::MAX);
            let bytes = match self.swapped {
                true => {
                    let all = rest.iter().filter(|byte| byte.is_ascii_hexdigit()).count() / 2;
                    self.bytes(&rest, all)
                }
                false => last_line(&rest, most),
            };
            let bytes = bytes.ok_or_else(|| {
                NotBytes(format!("line {number} of the dump: expected bytes, got {}", escape(&rest)))
            })?;
            self.current.extend(bytes);
        }
        if self.current.len() > MOST_BYTES {
            return Err(NotBytes(format!("too long for one packet: expected at most {MOST_BYTES} bytes")));
        }
        if !self.current.is_empty() {
            self.packets.push(std::mem::take(&mut self.current));
        }
        self.repeated = false;
        Ok(())
    }
}

/// The bytes of a line whose length nothing tells: at most `most`.
fn last_line(line: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    let mut rest = line;
    while let Some(group) = group(rest).filter(|group| bytes.len() + group / 2 <= most) {
        let start = rest.trim_ascii_start();
        bytes.extend(start[..group].chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])));
        rest = &start[group..];
        ends.push((bytes.len(), rest));
    }
    let letters = |text: &[u8]| {
        let gap = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        gap > 1 || matches!(text.trim_ascii_start().first(), Some(b'|' | b'>'))
    };
    let printed = ends.iter().rev().find(|(count, text)| letters(text) && says(&bytes[..*count], text));
    let (count, _) = printed.or(ends.last())?;
    bytes.truncate(*count);
    Some(bytes)
}

/// The digits of the group of bytes with which a text begins; `None` when it begins with something else.
fn group(text: &[u8]) -> Option<usize> {
    let digits = text.trim_ascii_start().iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    (digits > 0 && digits % 2 == 0).then_some(digits)
}

/// Bytes without offsets. Blanks, line ends, colons, commas, dashes, `0x`, `\x` and what C puts around an array are
/// skipped.
fn plain(text: &[u8]) -> Result<Vec<u8>, NotBytes> {
    // A declaration in C is known by its braces.
    let opened = text.iter().position(|byte| *byte == b'{').map_or(0, |at| at + 1);
    let closed = text.iter().rposition(|byte| *byte == b'}').filter(|at| *at >= opened).unwrap_or(text.len());
    let mut digits = Vec::new();
    let mut at = opened;
    while let Some(&byte) = text[..closed].get(at) {
        match (byte, text.get(at + 1)) {
            (b'0', Some(b'x' | b'X')) | (b'\\', Some(b'x')) => at += 1,
            (b'/', Some(b'*')) => {
                let rest = &text[at..];
                at += rest.windows(2).position(|two| two == b"*/").map_or(rest.len(), |end| end + 1);
            }
            (b':' | b',' | b'-' | b'_' | b'"' | b';', _) => {}
            (byte, _) if byte.is_ascii_whitespace() => {}
            (byte, _) if byte.is_ascii_hexdigit() => digits.push(digit(byte)),
            _ => {
                let rest = &text[at..text.len().min(at + 4)];
                let first = match rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
                    Some(letter) => escape(letter.to_string()),
                    None => escape(&rest[..1]),
                };
                return Err(NotBytes(format!(
                    "not hexadecimal: expected a digit 0-9 or a-f at character {at}, got '{first}'"
                )));
            }
        }
        at += 1;
    }
    if digits.is_empty() {
        return Err(NotBytes("no bytes: expected hexadecimal text, such as 45000028".into()));
    }
    if digits.len() % 2 == 1 {
        return Err(NotBytes(format!(
            "half a byte at the end: expected an even number of digits, got {}",
            digits.len()
        )));
    }
    if digits.len() / 2 > MOST_BYTES {
        return Err(NotBytes(format!("too long for one packet: expected at most {MOST_BYTES} bytes")));
    }
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(bytes: &[u8], group: usize) -> String {
        let groups = bytes.chunks(group);
        let groups = groups.map(|group| group.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        groups.collect::<Vec<_>>().join(" ")
    }

    fn printed(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| if (32..127).contains(byte) { char::from(*byte) } else { '.' }).collect()
    }

    /// The dumps that people paste, of the same bytes.
    fn dumps(bytes: &[u8]) -> Vec<(&'static str, String)> {
        let rows = |row: &dyn Fn(usize, &[u8]) -> String| {
            let rows = bytes.chunks(16).enumerate().map(|(i, bytes)| row(i * 16, bytes));
            rows.collect::<Vec<_>>().join("\n")
        };
        let halves = |row: &[u8]| {
            format!("{:<23}  {:<23}", hex(&row[..row.len().min(8)], 1), hex(row.get(8..).unwrap_or(&[]), 1))
        };
        let swapped = |row: &[u8]| {
            let words = row.chunks(2).map(|word| format!("{:02x}{:02x}", word.get(1).unwrap_or(&0), word[0]));
            words.collect::<Vec<_>>().join(" ")
        };
        let end = bytes.len();
        vec![
            ("a stream", hex(bytes, usize::MAX)),
            ("xxd -p", bytes.chunks(30).map(|row| hex(row, 30)).collect::<Vec<_>>().join("\n")),
            ("colons", hex(bytes, 1).replace(' ', ":")),
            (
                "C",
                format!("unsigned char p[{end}] = {{\n0x{} /* .. */ }};", hex(bytes, 1).replace(' ', ", 0x")),
            ),
            ("offsets", rows(&|at, row| format!("{at:04x}  {}", hex(row, 1)))),
            ("one blank", rows(&|at, row| format!("{at:04x} {}", hex(row, 1)))),
            ("Wireshark", rows(&|at, row| format!("{at:04x}   {:<47}   {}", hex(row, 1), printed(row)))),
            ("xxd", rows(&|at, row| format!("{at:08x}: {:<39}  {}", hex(row, 2), printed(row)))),
            ("tcpdump -x", rows(&|at, row| format!("\t0x{at:04x}:  {}", hex(row, 2)))),
            ("tcpdump -X", rows(&|at, row| format!("\t0x{at:04x}:  {:<39}  {}", hex(row, 2), printed(row)))),
            (
                "hexdump -C",
                rows(&|at, row| format!("{at:08x}  {}  |{}|", halves(row), printed(row)))
                    + &format!("\n{end:08x}\n"),
            ),
            ("hexdump", rows(&|at, row| format!("{at:07x} {}", swapped(row))) + &format!("\n{end:07x}\n")),
            ("od -x", rows(&|at, row| format!("{at:07o} {}", swapped(row))) + &format!("\n{end:07o}\n")),
            (
                "od -t x1z",
                rows(&|at, row| format!("{at:07o} {:<47}  >{}<", hex(row, 1), printed(row)))
                    + &format!("\n{end:07o}\n"),
            ),
            ("od -A d -t x1", rows(&|at, row| format!("{at:07} {}", hex(row, 1))) + &format!("\n{end:07}\n")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_form_of_the_same_bytes_is_the_same_packet(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0x30u8..0x67], 20..100),
        ) {
            for (form, text) in dumps(&bytes) {
                prop_assert_eq!(packets(text.as_bytes()), Ok(vec![bytes.clone()]), "{}:\n{}", form, text);
            }
        }

        #[test]
        fn any_text_is_bytes_or_an_error_and_never_a_panic(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(packets) = packets(&text) {
                prop_assert!(packets.iter().all(|packet| !packet.is_empty()));
            }
        }

        #[test]
        fn any_text_of_the_signs_of_dumps_is_no_reason_to_panic(text in "[0-9a-f x:*|>.\n]{0,300}") {
            if let Ok(packets) = packets(text.as_bytes()) {
                prop_assert!(packets.iter().all(|packet| !packet.is_empty() && packet.len() <= MOST_BYTES));
            }
        }
    }

    #[test]
    fn a_sign_at_the_end_of_the_letters_may_be_a_letter() {
        for last in [*b"00\0\0<", *b"ab\0\0|", *b">00\0<", *b"|00\0|"] {
            let bytes = [vec![0; 48], last.to_vec()].concat();
            for (form, text) in dumps(&bytes) {
                assert_eq!(packets(text.as_bytes()), Ok(vec![bytes.clone()]), "{form}:\n{text}");
            }
        }
    }

    #[test]
    fn several_packets_of_tcpdump_are_told_apart() {
        let text = "12:00:01.5 IP 10.0.0.1.9 > 10.0.0.2.9: UDP, length 2\n\t0x0000:  4500 0011 6869  E...hi\n\
                    12:00:02.5 IP 10.0.0.2.9 > 10.0.0.1.9: UDP, length 2\n\t0x0000:  4500 0012 7979  E...yy\n";
        assert_eq!(packets(text.as_bytes()).unwrap(), [b"E\0\0\x11hi".to_vec(), b"E\0\0\x12yy".to_vec()]);
    }

    #[test]
    fn repeated_lines_and_the_length_at_the_end_are_understood() {
        let text = "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
                    00000030  41                                                |A|\n00000031\n";
        let mut bytes = vec![0; 48];
        bytes.push(0x41);
        assert_eq!(packets(text.as_bytes()).unwrap(), [bytes]);
    }

    #[test]
    fn letters_that_look_like_bytes_are_letters_and_a_name_that_is_no_utf_8_does_no_harm() {
        assert_eq!(packets(b"0000   61 62 63   abc").unwrap(), [b"abc"]);
        assert_eq!(packets(b"0000   e9 61   \xe9a").unwrap(), [b"\xe9a"]);
        assert_eq!(packets("0000   e9 61   ·a".as_bytes()).unwrap(), [b"\xe9a"]);
    }

    #[test]
    fn a_dump_with_a_hole_is_refused_and_not_made_a_wrong_packet() {
        let error = packets(b"0000  45 00 00 14\n0008  00 01 00 00").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("missing"), "{error}");
    }

    #[test]
    fn what_is_not_hexadecimal_is_answered_with_the_place() {
        let error = |text: &[u8]| packets(text).expect_err("no bytes").to_string();
        assert!(error(b"45zz").contains("character 2, got 'z'"));
        assert!(error(b"450").contains("half a byte"));
        assert!(error(b"").contains("no bytes"));
        assert!(error(b"45\xff").contains("got '\\xff'"), "{}", error(b"45\xff"));
    }
}

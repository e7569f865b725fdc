//! RFCs as links, to the section where one is named: `RFC 9293 §3.4.1`, `RFC 791, appendix B`, `RFC 768`.

/// Puts a link in the place of every RFC that a text names; `link` gets the address and the words.
pub fn linked(text: &str, link: impl Fn(&str, &str) -> String) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("RFC ") {
        let (before, found) = rest.split_at(at);
        done.push_str(before);
        // A word that ends in these letters names none, and what is a link already stays one.
        let free = !before.ends_with(|c: char| c.is_alphanumeric() || c == '[');
        match address(found).filter(|_| free) {
            Some((address, len)) => {
                done.push_str(&link(&address, &found[..len]));
                rest = &found[len..];
            }
            None => {
                done.push_str("RFC ");
                rest = &found["RFC ".len()..];
            }
        }
    }
    done.push_str(rest);
    done
}

/// Where an RFC is to be read, and how many bytes of the text name it.
fn address(text: &str) -> Option<(String, usize)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let start = "RFC ".len();
    let mut end = start + digits(text.get(start..)?);
    let mut address = format!("https://www.rfc-editor.org/rfc/rfc{}", text.get(start..end)?);
    if end == start {
        return None;
    }
    let behind = &text[end..];
    if let Some(section) = behind.strip_prefix(" §") {
        // A full stop behind the section ends the sentence.
        let len = section.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let section = section[..len].trim_end_matches('.');
        if !section.is_empty() {
            address.push_str(&format!("#section-{section}"));
            end += " §".len() + section.len();
        }
    } else if let Some(letter) = behind.strip_prefix(", appendix ").and_then(|rest| rest.get(..1)) {
        address.push_str(&format!("#appendix-{letter}"));
        end += ", appendix ".len() + 1;
    }
    Some((address, end))
}

/// In Markdown: prose only, no code.
pub(super) fn linked_in_page(page: &str) -> String {
    let mut fenced = false;
    let lines = page.split('\n').map(|line| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        if fenced || fence || line.starts_with("{{#") {
            return line.to_string();
        }
        let pieces = line.split('`').enumerate().map(|(i, piece)| match i % 2 {
            0 => linked(piece, |address, words| format!("[{words}]({address})")),
            _ => piece.to_string(),
        });
        pieces.collect::<Vec<_>>().join("`")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rfc_is_a_link_to_its_section() {
        let link = |text: &str| linked(text, |address, words| format!("<{address}|{words}>"));
        let at = "https://www.rfc-editor.org/rfc/";
        assert_eq!(link("See RFC 9293 §3.4.1."), format!("See <{at}rfc9293#section-3.4.1|RFC 9293 §3.4.1>."));
        assert_eq!(link("RFC 791, appendix B: x"), format!("<{at}rfc791#appendix-B|RFC 791, appendix B>: x"));
        assert_eq!(
            link("(RFC 768, RFC 1122 §4.1)"),
            format!("(<{at}rfc768|RFC 768>, <{at}rfc1122#section-4.1|RFC 1122 §4.1>)")
        );
        for none in ["the RFC has it", "RFC ", "RFC §3", "XRFC 12", "[RFC 12](a)", "RFC \u{a7}", ""] {
            assert_eq!(link(none), none);
        }
    }

    #[test]
    fn code_is_left_alone() {
        let page = "RFC 768\n```sh\nRFC 768\n```\n`RFC 768` {{#x}}\n{{#lesson RFC 1}}\n";
        let at = "https://www.rfc-editor.org/rfc/rfc768";
        let expected =
            format!("[RFC 768]({at})\n```sh\nRFC 768\n```\n`RFC 768` {{{{#x}}}}\n{{{{#lesson RFC 1}}}}\n");
        assert_eq!(linked_in_page(page), expected);
    }
}

//! The web page at `/`: its files are in the program, and these are all that it gives.
//!
//! The browser may run nothing else (Content-Security-Policy: scripts and styles of this server only, no script
//! in the HTML, no HTML made from text), must take no file for another type than it is served as, and shows the page in
//! no other page's frame.

use bytes::Bytes;

use crate::layers::application::http::{Headers, RequestHead};
use crate::layers::application::{engineio, socketio};

/// What a path is answered with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: Bytes,
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// The file that a request is for.
pub(super) fn answer(head: &RequestHead) -> Answer {
    let path = head.target.split(['?', '#']).next().unwrap_or_default();
    if path == "/packets.js" {
        return Answer { status: 200, kind: "text/javascript; charset=utf-8", body: packets_js().into() };
    }
    let (kind, body) = match path {
        "/" | "/index.html" => ("text/html; charset=utf-8", include_str!("page/index.html")),
        "/style.css" => ("text/css; charset=utf-8", include_str!("page/style.css")),
        "/chat.js" => ("text/javascript; charset=utf-8", include_str!("page/chat.js")),
        "/socketio.js" => ("text/javascript; charset=utf-8", include_str!("page/socketio.js")),
        "/unread.js" => ("text/javascript; charset=utf-8", include_str!("page/unread.js")),
        "/dom.js" => ("text/javascript; charset=utf-8", include_str!("page/dom.js")),
        "/layers.js" => ("text/javascript; charset=utf-8", include_str!("page/layers.js")),
        "/icon.svg" => ("image/svg+xml", include_str!("page/icon.svg")),
        _ => {
            return Answer {
                status: 404,
                kind: "text/plain; charset=utf-8",
                body: Bytes::from_static(b"not found\n"),
            };
        }
    };
    Answer { status: 200, kind, body: Bytes::from_static(body.as_bytes()) }
}

/// The types of packets by their characters, as a module for `layers.js`: of the very tables by which the dissector
/// names them.
fn packets_js() -> String {
    let table = |name: &str, types: &[(char, &str)]| {
        let entries: Vec<String> =
            types.iter().map(|(kind, meaning)| format!("  {:?}: {meaning:?},\n", kind.to_string())).collect();
        format!("export const {name} = {{\n{}}};\n", entries.concat())
    };
    table("ENGINE", engineio::header::TYPES) + &table("SOCKET", socketio::header::TYPES)
}

/// What goes with every answer.
pub(super) fn headers() -> Headers {
    Headers::new()
        .with("Content-Security-Policy", POLICY)
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "no-referrer")
        .with("Cross-Origin-Opener-Policy", "same-origin")
        .with("Cross-Origin-Resource-Policy", "same-origin")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> Answer {
        answer(&RequestHead::new("GET", target, Headers::new()))
    }

    #[test]
    fn the_page_and_what_it_asks_for_are_there_and_nothing_else() {
        let index = get("/?x=1");
        assert_eq!((index.status, index.kind), (200, "text/html; charset=utf-8"));
        let mut asked = 0;
        for file in [index.body, get("/chat.js").body, get("/layers.js").body, get("/unread.js").body] {
            let text = String::from_utf8(file.to_vec()).expect("UTF-8");
            for mark in ["href=\"", "src=\"", "from './"] {
                for (at, _) in text.match_indices(mark) {
                    let name = text[at + mark.len()..].split(['"', '\'']).next().expect("a name");
                    assert_eq!(get(&format!("/{name}")).status, 200, "{name}");
                    asked += 1;
                }
            }
        }
        assert!(asked >= 4, "{asked}");
        for path in ["/page/chat.js", "/../Cargo.toml", "/favicon.ico", ""] {
            assert_eq!(get(path).status, 404, "{path}");
        }
    }

    #[test]
    fn the_panel_names_packets_as_the_dissector_does() {
        let text = packets_js();
        assert!(text.starts_with("export const ENGINE = {\n  \"0\": \"open\",\n"), "{text}");
        assert!(
            text.contains("export const SOCKET = {\n  \"0\": \"CONNECT\",\n")
                && text.contains("\"5\": \"BINARY_EVENT\"")
        );
        assert_eq!(text.matches(": ").count(), engineio::header::TYPES.len() + socketio::header::TYPES.len());
    }

    #[test]
    fn the_page_has_no_script_of_its_own_and_never_makes_html_of_text() {
        let index = include_str!("page/index.html");
        assert_eq!(index.matches("<script").count(), 1);
        for forbidden in [" onclick", " style=", "<style", "javascript:", "http:", "https:"] {
            assert!(!index.contains(forbidden), "{forbidden}");
        }
        for script in [
            include_str!("page/chat.js"),
            include_str!("page/socketio.js"),
            include_str!("page/layers.js"),
            include_str!("page/unread.js"),
            include_str!("page/dom.js"),
        ] {
            for forbidden in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https:/"]
            {
                assert!(!script.contains(forbidden), "{forbidden}");
            }
        }
    }
}

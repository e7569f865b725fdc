//! Every picture is well-formed, says what it shows, and is the same each time.

use proptest::prelude::*;

use super::terminal::Part;
use super::*;
use crate::base::Layer;
use crate::layers::internet::ipv4::Ipv4Header;
use crate::view::dissect::{Role, dissect_trace};
use crate::view::sheet::{Line, Sheet};
use crate::view::{ladder, sample};

const ALT: Alt<'static> = Alt { id: "pic", title: "A <title>", text: "what \"is\" in it" };

/// Whether every element is closed in order, no attribute repeats a quotation mark, and nothing runs.
fn well_formed(svg: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').ok_or("a tag does not end")? + at;
        let tag = &rest[at + 1..end];
        if tag.matches('"').count() % 2 == 1 {
            return Err(format!("quotes: {tag}"));
        }
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes another"));
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap_or_default());
        }
        rest = &rest[end + 1..];
    }
    if !open.is_empty() || svg.contains("<script") || svg.contains("href") || svg.contains("\n\n") {
        return Err(format!("open: {open:?}"));
    }
    Ok(())
}

#[test]
fn a_ladder_tells_in_words_what_it_draws() {
    let trace = sample::run();
    let svg = ladder::to_svg(&trace, ALT, ladder::LadderOptions::default());
    well_formed(&svg).expect("a ladder");
    assert!(svg.contains("<title id=\"pic-title\">A &lt;title&gt;</title>"), "{svg}");
    assert!(svg.contains("<desc id=\"pic-desc\">what &quot;is&quot; in it "), "{svg}");
    assert!(svg.contains("client → server:"), "{svg}");
    assert_eq!(svg, ladder::to_svg(&sample::run(), ALT, ladder::LadderOptions::default()));
}

#[test]
fn frames_and_headers_are_drawn_as_boxes() {
    let packets = dissect_trace(&sample::run());
    for packet in &packets {
        let dissection = &packet.packet.dissection;
        let svg = layers::to_svg(dissection, ALT);
        well_formed(&svg).expect("boxes");
        for part in dissection.parts.iter().filter(|part| part.role == Role::Header) {
            let svg = header::to_svg(part, ALT);
            well_formed(&svg).expect("a header");
            assert!(svg.contains("Fields in order: "), "{svg}");
        }
    }
    let layout = header::layout_to_svg::<Ipv4Header>(ALT);
    well_formed(&layout).expect("a layout");
    assert!(
        layout.contains("fragment offset (13 bits)") || layout.contains("Fragment Offset (13 bits)"),
        "{layout}"
    );
}

#[test]
fn a_terminal_keeps_its_columns_and_its_colours() {
    let first = Line::of("├─ a b ─►  ", Tone::Plain).with("lost", Tone::Bad);
    let sheet: Sheet = [first, Line::of("你x", Tone::Plain)].into_iter().collect();
    let svg = terminal::to_svg("netlayers", &[Part::Sheet(sheet)], ALT);
    well_formed(&svg).expect("a terminal");
    assert!(svg.contains(">a b</text>"), "{svg}");
    assert!(svg.contains("<text class=\"x\""), "{svg}");
    assert!(!svg.contains('├'), "{svg}");
    assert!(svg.contains("prefers-color-scheme:dark") && svg.contains(".navy .nl"), "{svg}");
    // The wide character takes two columns: the x after it is in the third.
    assert!(svg.contains("textLength=\"21.8\""), "{svg}");
}

proptest! {
    #[test]
    fn whatever_a_sheet_shows_becomes_a_picture(text in "(\\PC|\\pC|\n){0,80}") {
        let sheet = Sheet::of(&text, Tone::Of(Layer::Link));
        prop_assert_eq!(well_formed(&terminal::to_svg("x", &[Part::Sheet(sheet)], ALT)), Ok(()));
    }

    #[test]
    fn numbers_are_written_with_one_decimal_at_most(tenths in -9999i32..9999) {
        let value = f64::from(tenths) / 10.0;
        prop_assert_eq!(number(value).parse::<f64>().expect("a number"), value);
    }
}

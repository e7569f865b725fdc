//! What must hold of every sheet, whatever is written on it, and of every writer.

use proptest::prelude::*;

use super::*;
use crate::base::Layer;
use crate::trace::FrameId;

fn bare(line: &str) -> String {
    let mut rest = line.chars();
    let mut bare = String::new();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => drop(rest.by_ref().find(|c| *c == 'm')),
            c => bare.push(c),
        }
    }
    bare
}

#[test]
fn a_wide_character_takes_two_cells_and_a_mark_none() {
    let line = Line::of("e\u{301}你x", Tone::Plain);
    assert_eq!(line.width(), 4);
    assert_eq!(line.to_string(), "e\u{301}你x");
    assert!(line.cells()[2].is_taken());
    assert_eq!(line.respelt(|c| if c.is_ascii() { c } else { '?' }).to_string(), "e? x");
}

#[test]
fn writing_over_half_of_a_wide_character_removes_the_other_half() {
    for (at, left) in [(1, "ax  b"), (2, "a x b")] {
        let mut line = Line::of("a你 b", Tone::Plain);
        line.put(at, "x", Tone::Bad);
        assert_eq!(line.to_string(), left);
    }
}

#[test]
fn what_is_written_beyond_the_ends_is_lost() {
    let mut line = Line::blank(4);
    assert_eq!(line.put(2, "abcdef", Tone::Plain), 2..4);
    assert_eq!(line.put_before(1, "xyz", Tone::Plain), 0..3);
    line.fill(9..12, '─', Tone::Plain);
    line.about(1..99, Subject::Event(7));
    assert_eq!(line.to_string(), "xyzb");
}

#[test]
fn colour_is_switched_on_and_off_again() {
    let line = Line::of("a ", Tone::Plain).with("X", Tone::Bad).with(" ", Tone::Plain).with("Y", Tone::Bad);
    let text = ansi::to_ansi(&line.into());
    assert_eq!(text, "a \u{1b}[1m\u{1b}[31mX Y\u{1b}[0m\n");
    let layer = Line::of("TCP", Tone::Of(Layer::Transport));
    assert_eq!(ansi::line_to_ansi(&layer), "\u{1b}[32mTCP\u{1b}[0m");
}

#[test]
fn a_page_gets_spans_with_tones_and_subjects() {
    let mut line = Line::of("a<b ", Tone::Plain).with("lost", Tone::Bad);
    line.about(4..8, Subject::Frame(FrameId(3)));
    let sheet: Sheet = [line, Line::new(), Line::of("你", Tone::Of(Layer::Link))].into_iter().collect();
    assert_eq!(
        html::to_html(&sheet),
        "<pre class=\"nl nl-sheet\">a&lt;b <span class=\"x\" data-frame=\"3\">lost</span>&#10;&#10;\
         <span class=\"l2\"><span class=\"w\">你</span></span></pre>"
    );
    assert!(html::style().contains(".nl-sheet .l2{color:var(--l2)}"));
}

#[test]
fn a_window_shows_part_of_a_sheet_and_no_half_characters() {
    let sheet = Sheet::of("abcdef\n你你你\n0123", Tone::Plain);
    let shown: Vec<(usize, usize, String)> = sheet
        .window((1, 1), (2, 4))
        .map(|(row, column, cell)| (row, column, cell.chars().collect()))
        .collect();
    let expected = [(0, 1, "你"), (1, 0, "1"), (1, 1, "2"), (1, 2, "3")];
    assert_eq!(shown, expected.map(|(row, column, text)| (row, column, text.to_owned())));
}

#[test]
fn long_words_are_broken_cut_or_kept() {
    let wrapped = |long| wrap_words("see incomprehensibilities there", 6, 8, long);
    assert_eq!(wrapped(LongWord::Broken), ["see", "incompre", "hensibil", "ities", "there"]);
    assert_eq!(wrapped(LongWord::Cut), ["see", "incompr…", "there"]);
    assert_eq!(wrapped(LongWord::Kept), ["see", "incomprehensibilities", "there"]);
    assert_eq!(wrap("", 5), [""]);
    assert_eq!(wrap("网络 网络", 4), ["网络", "网络"]);
}

#[test]
fn a_headline_never_parts_a_name_from_its_value() {
    let parts = ["RTT 40 ms", "10 Mbit/s", "loss 0%", "seed 1"].map(String::from);
    assert_eq!(wrap_parts(&parts, " · ", 80), ["RTT 40 ms · 10 Mbit/s · loss 0% · seed 1"]);
    assert_eq!(wrap_parts(&parts, " · ", 38), ["RTT 40 ms · 10 Mbit/s · loss 0% ·", "seed 1"]);
    assert_eq!(wrap_parts(&parts, " - ", 22), ["RTT 40 ms -", "10 Mbit/s - loss 0% -", "seed 1"]);
    assert_eq!(wrap_parts(&parts[..1], " · ", 6), ["RTT 40", "ms"]);
}

#[test]
fn every_tone_has_a_colour_of_the_palette() {
    let layers = [Layer::Physical, Layer::Link, Layer::Internet, Layer::Transport, Layer::Application];
    let tones = [Tone::Plain, Tone::Faint, Tone::Strong, Tone::Bad, Tone::Again, Tone::Good];
    let mut used: Vec<&str> = tones
        .into_iter()
        .chain(layers.map(Tone::Of))
        .map(|tone| tone.class().split(' ').next().unwrap_or_default())
        .collect();
    used.push("p");
    used.sort_unstable();
    used.dedup();
    let mut names: Vec<&str> = COLOURS.iter().map(|colour| colour.name).collect();
    names.sort_unstable();
    assert_eq!(used, names);
}

fn tones() -> impl Strategy<Value = Tone> {
    prop_oneof![
        Just(Tone::Plain),
        Just(Tone::Faint),
        Just(Tone::Strong),
        Just(Tone::Bad),
        Just(Tone::Of(Layer::Internet)),
    ]
}

proptest! {
    #[test]
    fn nothing_that_acts_on_a_terminal_gets_into_a_cell(text in "(\\PC|\\pC){0,60}", at in 0usize..20) {
        let mut line = Line::blank(20);
        line.put(at, &text, Tone::Plain);
        for line in [line, Line::of(&text, Tone::Plain)] {
            prop_assert!(!line.to_string().contains(acts_on_a_terminal));
        }
    }

    #[test]
    fn a_line_is_as_wide_as_its_text(pieces in proptest::collection::vec(("\\PC{0,8}", 0usize..30), 0..8)) {
        let mut line = Line::blank(24);
        for (text, at) in pieces {
            line.put(at, &text, Tone::Plain);
            prop_assert_eq!(line.width(), 24);
            prop_assert_eq!(width(&line.to_string()), 24);
        }
    }

    #[test]
    fn colours_add_nothing_but_colour(pieces in proptest::collection::vec(("\\PC{0,8}", tones()), 0..8)) {
        let mut line = Line::new();
        for (text, tone) in pieces {
            line.push(text, tone);
        }
        let sheet = Sheet::from(line);
        prop_assert_eq!(bare(&ansi::to_ansi(&sheet)), sheet.to_string());
    }

    #[test]
    fn no_line_is_wider_than_asked(text in "\\PC{0,80}", columns in 2usize..30) {
        for long in [LongWord::Broken, LongWord::Cut] {
            for line in wrap_words(&text, columns, columns, long) {
                prop_assert!(width(&line) <= columns, "{line:?}");
            }
        }
    }
}

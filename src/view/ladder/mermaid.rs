//! The ladder as a Mermaid sequence diagram: for Markdown that is drawn elsewhere, such as a README or an exercise.
//!
//! Mermaid places participants and arrows itself, so all there is to say is who sends what to whom; the time stands before
//! the words, for the picture has no column for it.

use std::fmt::Write as _;

use super::row::{Arrow, Leg, Row, Step};
use super::stroke::End;
use super::{page, panel, text, words};
use crate::trace::{Past, PlaceId};
use crate::view::dissect::Summary;
use crate::view::look::{self, Look};

/// Room for words that say how much they can: a diagram wraps none of them.
const ROOM: usize = 60;

/// Draws the steps of a trace as a fenced block.
pub(super) fn draw(
    run: Past<'_>,
    title: &str,
    packets: &[Summary],
    steps: &[Step<'_>],
    absolute: bool,
) -> String {
    let look = Look { width: 400, absolute, ..Look::plain() };
    let clock = page::clock(steps);
    let places = panel::present(run);
    let mut diagram = Diagram { text: "```mermaid\nsequenceDiagram\n".to_owned() };
    if !title.is_empty() {
        diagram.line(format_args!("title: {}", words_of(&look::escape(title))));
    }
    for place in &places {
        let address = run.places.get(usize::from(place.0)).map(text::addresses).unwrap_or_default();
        let name = format!("{} {address}", look::escape(run.name(*place)));
        diagram.line(format_args!("participant {} as {}", id(*place), words_of(name.trim_end())));
    }
    let everywhere = match places[..] {
        [] => return diagram.end(),
        [only] => id(only),
        [first, .., last] => format!("{},{}", id(first), id(last)),
    };
    for step in steps {
        match step {
            Step::Row(row) => {
                let time = format!("{} {}", clock.text(row.at), clock.unit());
                diagram.row(row, &time, packets, &look);
            }
            Step::Gap(gap) => {
                let left_out = words::gap(gap, usize::MAX).join(" ");
                let time = format!("{} {}", clock.text(gap.from), clock.unit());
                diagram.line(format_args!("Note over {everywhere}: {time}: {}", words_of(&left_out)));
            }
        }
    }
    diagram.end()
}

struct Diagram {
    text: String,
}

impl Diagram {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Four cells in, no line can end the block that is around them.
        let _ = writeln!(self.text, "    {line}");
    }

    fn row(&mut self, row: &Row<'_>, time: &str, packets: &[Summary], look: &Look) {
        for remark in &row.remarks {
            let (said, _) = words::deed(remark.deed, ROOM);
            self.line(format_args!("Note over {}: {time}: {}", id(remark.place), words_of(&said)));
        }
        if let Some(arrow) = &row.arrow {
            self.arrow(arrow, time, packets, look);
        }
    }

    fn arrow(&mut self, arrow: &Arrow<'_>, time: &str, packets: &[Summary], look: &Look) {
        let stroke = words::stroke(arrow, packets, look, false);
        let mut said = stroke.label.whole();
        if let Some(mark) = &stroke.mark {
            let _ = write!(said, " {} {}", mark.glyph, mark.note);
        }
        if !stroke.aside.is_empty() {
            let _ = write!(said, " {}", stroke.aside);
        }
        // A cross for what is lost, an open head for what has not arrived, a broken line for what is late.
        let drawn = match (stroke.end, arrow.leg, arrow.marks.held) {
            (End::Lost, ..) => "-x",
            (End::Open, ..) => "-)",
            (End::Head, Leg::Arrival, _) | (End::Head, _, Some(_)) => "-->>",
            (End::Head, ..) => "->>",
        };
        self.line(format_args!("{}{drawn}{}: {time}: {}", id(arrow.from), id(arrow.to), words_of(&said)));
    }

    fn end(mut self) -> String {
        self.text.push_str("```\n");
        self.text
    }
}

/// What a host is called in the diagram's own language; its name is only shown.
fn id(place: PlaceId) -> String {
    format!("h{}", place.0)
}

/// Words, already safe to show, that say nothing to Mermaid, nor to the page they end up on: what is special is a numbered entity.
fn words_of(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' | ';' | '%' | '<' | '>' | '&' | '"' | '\\' | '`' | '{' | '}' => {
                let _ = write!(words, "#{};", u32::from(c));
            }
            c => words.push(c),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::story::{Fate, Story, message_over_tcp, saying, tcp, troubled_stream};
    use super::super::{Ladder, LadderOptions, elide, rows};
    use super::*;
    use crate::trace::Wire;
    use crate::view::dissect::AppPiece;

    fn diagram(story: &Story, most: usize) -> Vec<String> {
        let (run, packets) = (story.trace.whole(), story.packets());
        let steps = elide::elide(rows::rows(run, &packets), &packets, most);
        let text = draw(run, run.title, &packets, &steps, false);
        text.lines().map(|line| line.trim_start().to_owned()).collect()
    }

    #[test]
    fn a_ladder_is_a_sequence_diagram_of_its_rows() {
        let lines = diagram(&message_over_tcp(), 100);
        assert_eq!(lines[..3], ["```mermaid", "sequenceDiagram", "title: TCP"]);
        assert_eq!(lines[3..5], ["participant h0 as client 10.0.0.1", "participant h1 as server 10.0.0.2"]);
        let has = |line: &str| assert!(lines.iter().any(|had| had == line), "{line}: {lines:#?}");
        has("h0->>h1: 0.0 ms: SYN seq=0 win=65535 mss=1460");
        has("Note over h1: 60.2 ms: read #34;hello, layers#34;");
        has("h1->>h0: 100.3 ms: FIN ACK seq=1 ack=15");
        assert_eq!(lines.last().map(String::as_str), Some("```"));
    }

    #[test]
    fn what_became_of_a_frame_is_its_arrow() {
        let lines = diagram(&troubled_stream(), 100);
        let count = |arrow: &str| lines.iter().filter(|line| line.contains(arrow)).count();
        assert_eq!((count("h0-xh1: "), count("h1-xh0: ")), (1, 1), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("(retransmission timeout)")), "{lines:#?}");
        let gaps = diagram(&troubled_stream(), 8);
        assert!(gaps.iter().any(|line| line.starts_with("Note over h0,h1: ")), "{gaps:#?}");
    }

    #[test]
    fn nothing_said_on_the_wire_speaks_mermaid() {
        let mut story = Story::new("a;b#c", Wire::Sim);
        let line = "GET /;end%%{init}<script>`\"#35; HTTP/1.1".to_owned();
        story.segment(0, 0, saying(tcp("", 1, Some(1), 9), AppPiece::HttpRequest { line }), Fate::Arrives(5));
        for line in &diagram(&story, 100)[2..] {
            let plain = line.replace(|c: char| c.is_ascii_digit(), "");
            let rest = plain.replace("#;", "");
            assert!(!rest.contains(['#', ';', '%', '{', '"', '\\']), "{line}");
            assert!(line.starts_with('h') || !line.contains('>'), "{line}");
        }
        let whole = Ladder::of(&story.trace).to_mermaid(false, LadderOptions::default());
        assert!(whole.ends_with("```\n"));
        assert_eq!(whole.matches("```").count(), 2);
    }
}

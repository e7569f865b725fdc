//! TCP's state diagram, drawn from the `match` that makes every transition (RFC 9293 §3.3.2, figure 5).
//!
//! Only where a state is drawn is decided here. Which arrows there are, and what they are called, [`State::after`]
//! says: it is asked about every state and every cause. What leads to CLOSED from nearly everywhere is written below
//! the picture, as figure 5 leaves it out.

use super::{Alt, Anchor, Canvas, LineStyle};
use crate::base::Layer;
use crate::layers::transport::tcp::{Cause, State};
use crate::view::sheet::{Tone, wrap};

/// A state and what is written in its box.
const BOX: (f64, f64) = (112.0, 28.0);
/// Height of a line of text.
const LINE: f64 = 15.0;
/// Letters in a line of a label.
const LETTERS: usize = 18;
/// How far two arrows between the same states are apart.
const APART: f64 = 7.0;
/// The whole picture, without the sentences below it.
const SIZE: (f64, f64) = (760.0, 720.0);

/// Draws the diagram.
pub fn to_svg(alt: Alt<'_>) -> String {
    let mut canvas = Canvas::default();
    for arrow in arrows() {
        let (from, to) = arrow.line();
        canvas.line(from, to, Tone::Plain, LineStyle::Solid);
        canvas.head(from, to, Tone::Plain);
        let (x, y) = arrow.label_at();
        let lines = arrow.label();
        let top = y - LINE * lines.len() as f64 / 2.0;
        for (i, line) in lines.iter().enumerate() {
            canvas.text((x, top + LINE * (i as f64 + 0.8)), Anchor::Middle, Tone::Faint, line);
        }
    }
    let closed_again = (State::Closed, CLOSED_AGAIN);
    for (state, (x, y)) in State::ALL.into_iter().map(|state| (state, place(state))).chain([closed_again]) {
        canvas.tinted_box((x - BOX.0 / 2.0, y - BOX.1 / 2.0), BOX, Tone::Of(Layer::Transport));
        canvas.text((x, y + 4.0), Anchor::Middle, Tone::Strong, state.name());
    }
    let mut y = SIZE.1;
    for sentence in sentences() {
        y += LINE;
        canvas.text((10.0, y), Anchor::Start, Tone::Faint, &sentence);
    }
    let text = format!("{} {}", alt.text, told()).trim().to_string();
    canvas.part_of_page((SIZE.0, y + 8.0), Alt { text: &text, ..alt })
}

/// Every transition in words, one after the other: what the picture shows, and what is written below it.
fn told() -> String {
    let arrows = State::transitions().map(|(from, cause, to)| format!("{from} to {to}: {}.", cause.why()));
    arrows.collect::<Vec<_>>().join(" ")
}

/// What ends a connection wherever it is.
const ENDS: [Cause; 3] = [Cause::Reset, Cause::Abort, Cause::GiveUp];

fn sentences() -> Vec<String> {
    let sentence = |cause: Cause| {
        let spared: Vec<&str> = State::ALL
            .iter()
            .filter(|state| state.after(cause).is_none())
            .map(|state| state.name())
            .collect();
        format!("{}: from every state but {} to CLOSED.", cause.why(), spared.join(" and "))
    };
    ENDS.into_iter().map(sentence).collect()
}

/// One arrow, and all that leads along it.
struct Arrow {
    from: State,
    to: State,
    causes: Vec<Cause>,
    /// Whether another one leads back.
    returns: bool,
}

/// The arrows of the picture.
fn arrows() -> Vec<Arrow> {
    let mut arrows: Vec<Arrow> = Vec::new();
    for (from, cause, to) in State::transitions().filter(|(_, cause, _)| !ENDS.contains(cause)) {
        match arrows.iter_mut().find(|arrow| (arrow.from, arrow.to) == (from, to)) {
            Some(arrow) => arrow.causes.push(cause),
            None => arrows.push(Arrow { from, to, causes: vec![cause], returns: false }),
        }
    }
    let pairs: Vec<(State, State)> = arrows.iter().map(|arrow| (arrow.from, arrow.to)).collect();
    for arrow in &mut arrows {
        arrow.returns = pairs.contains(&(arrow.to, arrow.from));
    }
    arrows
}

/// The middle of a state's box: opening above, closing below, what this end does first on the left.
const fn place(state: State) -> (f64, f64) {
    match state {
        State::Closed => (380.0, 24.0),
        State::Listen => (330.0, 150.0),
        State::SynReceived => (110.0, 220.0),
        State::SynSent => (650.0, 220.0),
        State::Established => (380.0, 340.0),
        State::FinWait1 => (110.0, 430.0),
        State::CloseWait => (650.0, 430.0),
        State::FinWait2 => (110.0, 560.0),
        State::Closing => (380.0, 500.0),
        State::LastAck => (650.0, 560.0),
        State::TimeWait => (380.0, 680.0),
    }
}

/// The second place of CLOSED, for the arrows that end a connection.
const CLOSED_AGAIN: (f64, f64) = (650.0, 680.0);

impl Arrow {
    /// From the edge of one box to that of the other.
    fn line(&self) -> ((f64, f64), (f64, f64)) {
        let (a, b) = (place(self.from), self.target());
        let (nx, ny) = self.normal();
        let aside = if self.returns { APART } else { 0.0 };
        let shift = |(x, y): (f64, f64)| (x + nx * aside, y + ny * aside);
        (shift(edge(a, b)), shift(edge(b, a)))
    }

    fn target(&self) -> (f64, f64) {
        let ends_a_life = self.to == State::Closed && place(self.from).1 > place(State::Established).1;
        if ends_a_life { CLOSED_AGAIN } else { place(self.to) }
    }

    /// The direction to the right of the arrow, as it flies.
    fn normal(&self) -> (f64, f64) {
        let (a, b) = (place(self.from), self.target());
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = (dx * dx + dy * dy).sqrt().max(1.0);
        (-dy / length, dx / length)
    }

    fn label(&self) -> Vec<String> {
        self.causes.iter().flat_map(|cause| wrap(cause.why(), LETTERS)).collect()
    }

    /// Width and height of the label.
    fn label_size(&self) -> (f64, f64) {
        let lines = self.label();
        let width = lines.iter().map(|line| super::width_of(line)).fold(0.0, f64::max);
        (width, LINE * lines.len() as f64)
    }

    /// The middle of the label: on the right of the arrow, just so far that it does not touch it.
    fn label_at(&self) -> (f64, f64) {
        let (from, to) = self.line();
        let (nx, ny) = self.normal();
        // How far along the arrow, and on which side. The upper half is crowded.
        let (along, side) = match (self.from, self.to) {
            (State::Listen, State::SynSent) => (0.35, 1.0),
            (State::Listen, State::Closed) => (0.45, 1.0),
            (State::SynSent, State::SynReceived) => (0.5, -1.0),
            _ => (0.5, 1.0),
        };
        let (width, height) = self.label_size();
        let far = side * (nx.abs() * width / 2.0 + ny.abs() * height / 2.0 + 4.0);
        (from.0 + (to.0 - from.0) * along + nx * far, from.1 + (to.1 - from.1) * along + ny * far)
    }
}

/// Where the line from the middle of a box towards `to` leaves it.
fn edge(middle: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (to.0 - middle.0, to.1 - middle.1);
    let part = |half: f64, d: f64| if d == 0.0 { f64::INFINITY } else { half / d.abs() };
    let t = part(BOX.0 / 2.0, dx).min(part(BOX.1 / 2.0, dy));
    (middle.0 + dx * t, middle.1 + dy * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> String {
        to_svg(Alt { id: "states", title: "States", text: "" })
    }

    #[test]
    fn the_picture_has_one_arrow_for_each_pair_of_states_that_the_match_joins() {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for from in State::ALL {
            for cause in Cause::ALL {
                if let Some(to) = from.after(cause).filter(|_| !ENDS.contains(&cause)) {
                    pairs.push((from.name(), to.name()));
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(drawn().matches("class=\"a i\"").count(), pairs.len(), "heads of arrows");
        // Figure 5 is there, but for the arrow that the module of the states names.
        for (from, to) in [("CLOSED", "LISTEN"), ("SYN-SENT", "SYN-RECEIVED"), ("CLOSING", "TIME-WAIT")] {
            assert!(pairs.contains(&(from, to)), "{from} to {to}");
        }
    }

    #[test]
    fn what_ends_a_connection_leads_from_where_the_sentence_says() {
        assert_eq!(
            sentences(),
            [
                "RST received: from every state but CLOSED and LISTEN to CLOSED.",
                "the program aborts: from every state but CLOSED to CLOSED.",
                "gave up on the peer: from every state but CLOSED to CLOSED.",
            ]
        );
        for (from, cause, to) in State::transitions().filter(|(_, cause, _)| ENDS.contains(cause)) {
            assert_eq!(to, State::Closed, "{from} {cause:?}");
        }
    }

    type Area = ((f64, f64), (f64, f64));

    fn area(middle: (f64, f64), size: (f64, f64)) -> Area {
        (
            (middle.0 - size.0 / 2.0, middle.1 - size.1 / 2.0),
            (middle.0 + size.0 / 2.0, middle.1 + size.1 / 2.0),
        )
    }

    fn meet(a: Area, b: Area) -> bool {
        a.0.0 < b.1.0 && b.0.0 < a.1.0 && a.0.1 < b.1.1 && b.0.1 < a.1.1
    }

    #[test]
    fn no_label_touches_another_one_a_box_an_arrow_or_the_edge() {
        let boxes: Vec<Area> =
            State::ALL.into_iter().map(place).chain([CLOSED_AGAIN]).map(|at| area(at, BOX)).collect();
        let arrows = arrows();
        let label = |arrow: &Arrow| area(arrow.label_at(), arrow.label_size());
        for (i, arrow) in arrows.iter().enumerate() {
            let here = label(arrow);
            let name = format!("{} to {}: {here:?}", arrow.from, arrow.to);
            assert!(here.0.0 >= 0.0 && here.1.0 <= SIZE.0 && here.0.1 >= 0.0 && here.1.1 <= SIZE.1, "{name}");
            assert!(boxes.iter().all(|area| !meet(*area, here)), "a box and {name}");
            for (j, other) in arrows.iter().enumerate() {
                assert!(i == j || !meet(label(other), here), "{} to {} and {name}", other.from, other.to);
                let (from, to) = other.line();
                for step in 0..=200 {
                    let part = f64::from(step) / 200.0;
                    let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
                    let inside = here.0.0 < x && x < here.1.0 && here.0.1 < y && y < here.1.1;
                    assert!(!inside, "the arrow {} to {} crosses {name}", other.from, other.to);
                }
            }
        }
    }
}

//! What must hold of every ladder: nothing is left out uncounted, nothing is wider than the screen, nothing panics.

use proptest::prelude::*;

use super::columns::condense;
use super::elide::elide;
use super::row::{Gap, Leg, Step};
use super::story::{Fate, Story, columns, long_transfer, saying, tcp};
use super::{LadderOptions, rows_of};
use crate::trace::{FrameId, Kind, LinkId, PlaceId, Wire};
use crate::view::dissect::{AppPiece, TcpSummary, What};
use crate::view::look::Look;
use crate::view::sheet::Sheet;

/// One frame with its time, sender, content and fate, all chosen by small numbers.
type Choice = (u64, u16, u8, u8, u32);

fn story(wire: Wire, choices: &[Choice]) -> Story {
    let mut story = Story::new("网络 any run\u{1b}[2J", wire);
    let mut now = 0;
    for &(wait, from, what, fate, n) in choices {
        now += wait;
        let seq = u64::from(n);
        let request = AppPiece::HttpRequest { line: "GET /网/\u{202e}x HTTP/1.1".to_owned() };
        let what = match what {
            0 => What::Tcp(tcp("S", seq, None, 0)),
            1 => What::Tcp(tcp("F", seq, Some(1), 0)),
            2 => What::Tcp(saying(tcp("", seq, Some(1), 100), request)),
            3 => What::Udp { len: n as usize },
            4 => What::Tcp(TcpSummary { retransmission: true, ..tcp("", seq, Some(1), 1460) }),
            5 => {
                story.write(now, from, b"some words");
                story.read(now, 1 - from, b"some ");
                What::Icmp {
                    message: "a very long message that fits nowhere at all, at least not here".into(),
                    len: 8,
                }
            }
            _ => What::Tcp(tcp("", seq, Some(u64::MAX), 1460)),
        };
        let fate = match fate {
            0 => Fate::Lost("a rule with quite a long name, longer than most"),
            1 => Fate::Corrupted("flip", now + 20_000),
            2 => Fate::Twice("dup", now + 20_000),
            3 => Fate::Held("hold", now + 50_000),
            4 => Fate::Unknown,
            _ => Fate::Arrives(now + 20_000),
        };
        story.frame(now, from, what, fate);
    }
    story.trace.events.sort_by_key(|event| event.at);
    story
}

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    // Few special frames among many ordinary ones, so that there are calm stretches to leave out.
    let special = prop_oneof![6 => Just(9u8), 1 => 0u8..6];
    let fate = prop_oneof![6 => Just(9u8), 1 => 0u8..5];
    proptest::collection::vec((0u64..3_000, 0u16..2, special, fate, any::<u32>()), 0..120)
}

fn looks() -> impl Strategy<Value = Look> {
    (0usize..140, any::<bool>(), any::<bool>()).prop_map(|(width, ascii, absolute)| Look {
        width,
        ascii,
        colour: false,
        absolute,
    })
}

/// All that is counted, in the gaps and in the rows shown.
fn sum(steps: &[Step<'_>]) -> Gap {
    let mut sum = Gap::default();
    for step in steps {
        match step {
            Step::Gap(gap) => {
                sum.frames += gap.frames;
                sum.lost += gap.lost;
                sum.again += gap.again;
                sum.corrupted += gap.corrupted;
                sum.doubled += gap.doubled;
                sum.held += gap.held;
            }
            Step::Row(row) => {
                for arrow in row.arrow.iter().filter(|arrow| arrow.leg != Leg::Arrival) {
                    sum.frames += 1;
                    sum.lost += u64::from(arrow.marks.lost.is_some());
                    sum.again += u64::from(arrow.marks.again.is_some());
                    sum.corrupted += u64::from(arrow.marks.corrupted.is_some());
                    sum.doubled += u64::from(arrow.marks.doubled.is_some());
                    sum.held += u64::from(arrow.marks.held.is_some());
                }
            }
        }
    }
    sum
}

fn all_lines_fit(picture: &Sheet, look: &Look) -> bool {
    picture.width() <= look.width.max(12) && (!look.ascii || picture.to_string().is_ascii())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_shown_and_what_is_left_out_are_all_the_frames(choices in choices(), most in 0usize..60, narrow: bool) {
        let story = story(Wire::Sim, &choices);
        let rows = rows_of(story.trace.whole(), &story.packets());
        let rows = if narrow { condense(rows) } else { rows };
        let steps = elide(rows, &story.packets(), most);
        prop_assert!(steps.len() <= most.max(8));
        let counted = |wanted: fn(&Kind) -> bool| story.trace.count(wanted) as u64;
        let sum = sum(&steps);
        prop_assert_eq!(sum.frames, story.trace.frames().count() as u64);
        prop_assert_eq!(sum.lost, counted(|kind| matches!(kind, Kind::Dropped { .. })));
        prop_assert_eq!(sum.corrupted, counted(|kind| matches!(kind, Kind::Corrupted { .. })));
        prop_assert_eq!(sum.doubled, counted(|kind| matches!(kind, Kind::Duplicated { .. })));
        prop_assert_eq!(sum.held, counted(|kind| matches!(kind, Kind::Delayed { .. })));
        let again = story.packets().iter().filter(|packet| packet.is_retransmission()).count();
        prop_assert_eq!(sum.again, again as u64);
    }

    #[test]
    fn a_whole_ladder_leaves_nothing_out(choices in choices()) {
        let story = story(Wire::Sim, &choices);
        let steps = elide(rows_of(story.trace.whole(), &story.packets()), &story.packets(), usize::MAX);
        let all_rows = steps.iter().all(|step| matches!(step, Step::Row(_)));
        prop_assert!(all_rows);
    }

    #[test]
    fn no_line_is_wider_than_the_screen(choices in choices(), look in looks(), real: bool, most in 0usize..60) {
        let story = story(if real { Wire::Real } else { Wire::Sim }, &choices);
        let picture = story.draw_with(&look, LadderOptions { most_rows: most, whole: most == 0, ..LadderOptions::default() });
        prop_assert!(all_lines_fit(&picture, &look), "{}", picture);
        let three = columns(&[("one", &story), ("two 网络", &story), ("three", &story)], &look);
        prop_assert!(all_lines_fit(&three, &look), "{}", three);
        let acting = picture.to_string().chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
        prop_assert!(!acting);
    }

    #[test]
    fn a_trace_that_makes_no_sense_is_drawn_all_the_same(
        choices in choices(),
        hosts in 0usize..9,
        strays in proptest::collection::vec((any::<u64>(), 0u16..9, any::<u64>()), 0..20),
        look in looks(),
    ) {
        let mut story = story(Wire::Sim, &choices);
        story.trace.places.truncate(hosts);
        for (micros, place, frame) in strays {
            let frame = FrameId(frame);
            let kind = match frame.0 % 5 {
                0 => Kind::Delivered { frame },
                1 => Kind::Dropped { frame, by: "".into() },
                2 => Kind::Sent {
                    frame,
                    link: LinkId(0),
                    to: PlaceId((micros % 9) as u16),
                    bytes: bytes::Bytes::new(),
                },
                3 => Kind::Duplicated { frame, copy: frame, by: "".into() },
                _ => Kind::Note { text: "".into() },
            };
            story.event(micros, place, kind);
        }
        prop_assert!(all_lines_fit(&story.draw(&look), &look));
        prop_assert!(all_lines_fit(&columns(&[("a", &story), ("b", &story)], &look), &look));
    }
}

#[test]
fn every_loss_and_repetition_is_shown_as_long_as_there_is_room() {
    let story = long_transfer(200, 40);
    let packets = story.packets();
    let steps = elide(rows_of(story.trace.whole(), &packets), &packets, 40);
    let gaps: Vec<&Gap> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Gap(gap) => Some(gap),
            Step::Row(_) => None,
        })
        .collect();
    assert!(!gaps.is_empty());
    assert!(gaps.iter().all(|gap| gap.lost == 0 && gap.again == 0), "{gaps:?}");
    assert_eq!((sum(&steps).lost, sum(&steps).again), (5, 5));
}

#[test]
fn a_hundred_thousand_frames_fit_on_one_page() {
    let story = long_transfer(50_000, 10);
    let picture = story.draw(&Look::default());
    assert!(picture.height() < 60, "{picture}");
    assert!(picture.to_string().contains("lost"), "{picture}");
}

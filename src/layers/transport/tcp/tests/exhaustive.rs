//! Every pattern of up to three faults over a small scene: whatever is lost, doubled or late, all of them end right.
//!
//! The scene is a whole life: handshake, data both ways, and both closes. A fault strikes a frame by its ordinal on the
//! wire. The tests that always run take up to two faults in each configuration, and three in a scene of fewer frames;
//! `cargo test --release --lib exhaustive -- --ignored` takes three over all, some 270,000 runs.

use super::super::congestion::Algorithm;
use super::scripts::watched;
use super::*;

/// What may happen to a frame. Late is by more than a round trip, so that what follows overtakes it; very late is by
/// more than a timeout, so that it comes after what was sent again.
const FAULTS: [Fate; 4] = [Fate::Drop, Fate::Twice, LATE, Fate::Late(Duration::from_millis(1_300))];
const LATE: Fate = Fate::Late(Duration::from_millis(25));
/// The same in the tests that always run.
const FEW: [Fate; 3] = [Fate::Drop, Fate::Twice, LATE];

/// Which frames are struck, and by what.
type Pattern = Vec<(usize, Fate)>;

/// What is asked of both ends.
struct Scene {
    config: Config,
    /// Bytes that each end writes.
    writes: [usize; 2],
}

impl Scene {
    /// Plays it with these faults, and says how many frames there were.
    fn play(&self, pattern: &Pattern) -> usize {
        let faults = pattern.clone();
        let fate = move |_, number, _: &Segment| {
            faults.iter().find(|(at, _)| *at == number).map_or(Fate::Pass, |(_, fate)| *fate)
        };
        let mut pipe = Pipe::new(&self.config).with_rule(fate);
        let texts = self.writes.map(|len| (0..len).map(|i| (i % 251) as u8).collect::<Vec<_>>());
        for side in [A, B] {
            pipe.ends[side].to_write = texts[side].clone();
            pipe.ends[side].shutdown_when_written = true;
        }
        pipe.listen(B);
        watched(&mut pipe, |pipe| pipe.connect(A));
        let mut steps = 0;
        while watched(&mut pipe, |pipe| pipe.step(Instant::NEVER)) {
            steps += 1;
            assert!(steps < 2_000, "no end with {pattern:?}: {:?}\n{}", pipe.states(), pipe.ladder());
            self.assert_bounded(&pipe, pattern);
        }
        let told = || format!("{pattern:?}\n{}", pipe.ladder());
        assert_eq!(pipe.states(), [State::Closed; 2], "{}", told());
        for side in [A, B] {
            assert!(pipe.ends[side].received == texts[1 - side], "the stream to {side}: {}", told());
            let closed = pipe.ends[side].events.contains(&Event::Closed(Reason::Normal));
            assert!(closed, "{side} ends with {:?}: {}", pipe.ends[side].events, told());
        }
        // A handshake, the data, and what the faults may have cost: not a storm.
        assert!(pipe.log.len() < 60, "{} frames: {}", pipe.log.len(), told());
        pipe.log.len()
    }

    /// What an end holds is within what its configuration says.
    fn assert_bounded(&self, pipe: &Pipe, pattern: &Pattern) {
        for end in &pipe.ends {
            let Some(connection) = &end.connection else { continue };
            let room = connection.sender.room();
            assert!(connection.readable() <= self.config.recv_buffer, "{pattern:?}");
            assert!(room <= self.config.send_buffer && connection.outbox.is_empty(), "{pattern:?}");
        }
    }

    /// Plays every pattern of exactly `faults` faults over the frames of the run without any. Says how many those are.
    fn play_all(&self, faults: usize, kinds: &[Fate]) -> usize {
        let frames = self.play(&Vec::new());
        let mut patterns: Vec<Pattern> = vec![Vec::new()];
        for _ in 0..faults {
            let longer = |pattern: Pattern| {
                let from = pattern.last().map_or(0, |(frame, _)| frame + 1);
                let more = (from..frames).flat_map(|frame| kinds.iter().map(move |fate| (frame, *fate)));
                more.map(move |fault| [&pattern[..], &[fault]].concat()).collect::<Vec<_>>()
            };
            patterns = patterns.into_iter().flat_map(longer).collect();
        }
        for pattern in &patterns {
            self.play(pattern);
        }
        patterns.len()
    }
}

/// The configurations: from nothing but RFC 9293 to all that there is.
fn configs() -> Vec<Config> {
    let bare = Config { mss: 1_000, ..config() };
    let newreno = Config { congestion: Algorithm::NEWRENO, ..bare };
    let sack = Config { sack: true, timestamps: true, delayed_ack: Some(ms(40)), ..newreno };
    let rack = Config { rack: true, timestamps: false, congestion: Algorithm::CUBIC, ..sack };
    let tahoe = Config { congestion: Algorithm::TAHOE, delayed_ack: Some(ms(40)), ..bare };
    let small = Config { recv_buffer: 1_200, send_buffer: 900, ..bare };
    vec![bare, newreno, sack, rack, tahoe, small]
}

fn scenes() -> impl Iterator<Item = Scene> {
    configs().into_iter().map(|config| Scene { config, writes: [5_500, 2_500] })
}

#[test]
fn every_one_and_every_two_faults_in_a_life_of_a_connection_end_right() {
    for scene in scenes() {
        let frames = scene.play(&Vec::new());
        assert!((14..=20).contains(&frames), "{frames} frames");
        assert_eq!(scene.play_all(1, &FAULTS), 4 * frames);
        assert_eq!(scene.play_all(2, &FEW), 9 * frames * (frames - 1) / 2);
    }
}

#[test]
fn every_three_faults_in_a_short_life_end_right() {
    for config in configs().into_iter().take(3) {
        let scene = Scene { config, writes: [1_500, 10] };
        let played = scene.play_all(3, &FEW);
        assert!(played > 900, "{played} patterns");
    }
}

#[test]
#[ignore = "270,000 runs: in a release build"]
fn every_three_faults_in_a_life_of_a_connection_end_right() {
    let mut all = 0;
    for scene in scenes() {
        let frames = scene.play(&Vec::new());
        let played = scene.play_all(3, &FAULTS);
        assert_eq!(played, 64 * frames * (frames - 1) * (frames - 2) / 6);
        all += played;
    }
    // Another number says that the scenes have changed.
    assert_eq!(all, 267_392);
}

//! Whether all that a performance claims is so, and if not, its story up to there.

use super::beat::Beat;
use super::render::text;
use super::stage::Performance;
use crate::view::look::Look;

impl Performance {
    /// Whether everything the lesson claims is so.
    ///
    /// # Errors
    /// The story up to the first claim that does not hold, or what is wrong with the script.
    pub fn verify(&self) -> Result<(), String> {
        if let Some(fault) = self.faults.first() {
            return Err(format!("{}: {fault}\n(scenario: {})", self.scenario.id, self.scenario));
        }
        let failed = self.beats.iter().position(|beat| matches!(beat, Beat::Check { holds: false, .. }));
        let Some(failed) = failed else { return Ok(()) };
        let look = Look::default();
        let story: Vec<String> = self.beats[..=failed]
            .iter()
            .map(|beat| text::beat(self, beat, None, &look).to_string())
            .collect();
        Err(format!(
            "lesson {} claims something that its run does not show. The story so far:\n\n{}\n(scenario: {})",
            self.scenario.id,
            story.join("\n"),
            self.scenario
        ))
    }
}

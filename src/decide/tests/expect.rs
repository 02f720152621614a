//! What a test may ask of a [`World`] after a pass. A failure tells the whole story of that pass.

use std::fmt::Write;

use crate::decide::tests::world::World;
use crate::model::{ExternalAddress, Replica};
use crate::plan::{Loudness, Note};

impl World {
    /// One pass whose plan reads like this.
    #[track_caller]
    pub fn plans(&mut self, expected: &str) -> &mut Self {
        self.pass();
        let wanted: Vec<&str> = expected.lines().map(str::trim).collect();
        let plan = self.plan.to_string();
        let plan: Vec<&str> = plan.lines().collect();
        assert_eq!(
            plan,
            wanted,
            "pass {}: not the plan expected\n{}",
            self.memory.passes,
            self.story()
        );
        self
    }

    /// How the last pass judged the pool: `a healthy 1, b silent 0`.
    #[track_caller]
    pub fn judged(&mut self, expected: &str) -> &mut Self {
        let one = |replica: &Replica| format!("{} {} {}", replica.id, replica.state, replica.free);
        let mut judged: Vec<String> = self.plan.replicas.iter().map(one).collect();
        judged.sort();
        let judged = judged.join(", ");
        assert_eq!(judged, expected, "pass {}: states\n{}", self.memory.passes, self.story());
        self
    }

    /// The last pass said something this loud that holds these words.
    #[track_caller]
    pub fn says(&mut self, loudness: Loudness, words: &str) -> &mut Self {
        let said = |note: &Note| note.loudness == loudness && note.text.contains(words);
        assert!(
            self.plan.notes.iter().any(said),
            "pass {}: nobody says \"{words}\" as {loudness:?}\n{}",
            self.memory.passes,
            self.story()
        );
        self
    }

    /// The last pass said nothing that holds these words.
    #[track_caller]
    pub fn does_not_say(&mut self, words: &str) -> &mut Self {
        let said = self.plan.notes.iter().any(|note| note.text.contains(words));
        assert!(!said, "pass {}: somebody says \"{words}\"\n{}", self.memory.passes, self.story());
        self
    }

    /// Creation was held back or cut in the last pass, for a reason that holds these words.
    #[track_caller]
    pub fn held_back(&mut self, words: &str) -> &mut Self {
        let held = self.plan.held_back.as_ref().is_some_and(|held| held.why.contains(words));
        assert!(
            held,
            "pass {}: not held back by \"{words}\"\n{}",
            self.memory.passes,
            self.story()
        );
        self
    }

    /// How many the last pass asked for.
    #[track_caller]
    pub fn creates(&mut self, expected: u64) -> &mut Self {
        let count = self.plan.creation.as_ref().map_or(0, |batch| batch.count);
        assert_eq!(count, expected, "pass {}: creation\n{}", self.memory.passes, self.story());
        self
    }

    /// Which VMs the last pass wanted deleted, in order.
    #[track_caller]
    pub fn deletes(&mut self, expected: &[&str]) -> &mut Self {
        let deleted: Vec<&str> =
            self.plan.deletions.iter().map(|one| one.server.as_str()).collect();
        assert_eq!(deleted, expected, "pass {}: deletions\n{}", self.memory.passes, self.story());
        self
    }

    /// Who holds which address now: `192.0.2.1 a, 192.0.2.2 -`.
    #[track_caller]
    pub fn holders(&mut self, expected: &str) -> &mut Self {
        let one = |address: &ExternalAddress| {
            let holder = address.holder.as_ref().map_or("-", |holder| holder.as_str());
            format!("{} {holder}", address.address)
        };
        let holders = self.addresses.iter().map(one).collect::<Vec<_>>().join(", ");
        assert_eq!(holders, expected, "pass {}: holders\n{}", self.memory.passes, self.story());
        self
    }

    /// What a failed test prints.
    fn story(&self) -> String {
        let mut story = format!("plan:\n{}", self.plan);
        for replica in &self.plan.replicas {
            let _ = writeln!(
                story,
                "replica {}: {} {} ({})",
                replica.id, replica.state, replica.free, replica.why
            );
        }
        for note in &self.plan.notes {
            let _ = writeln!(story, "note {:?} {}: {}", note.loudness, note.key, note.text);
        }
        let _ = writeln!(story, "held back: {:?}", self.plan.held_back);
        let _ = writeln!(story, "steps: {:?}", self.outcome.steps);
        story
    }
}

//! What goes wrong in a campaign, drawn from a seed.

use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `kill -9` of the holder.
    Killed,
    /// SIGSTOP of the holder for three validities.
    Frozen,
    /// The same while it waits for an answer in a pass.
    FrozenInPass,
    /// SIGTERM of the holder.
    Stopped,
    /// The holder's network is cut.
    HolderCut,
    /// A standby's network is cut.
    StandbyCut,
    /// Glance hangs; what was sent takes effect later.
    GlanceHangs,
    /// Nova hangs; what was sent takes effect later.
    NovaHangs,
    /// Glance is stopped.
    GlanceStopped,
    /// The holder's wall clock is ahead for a while.
    ClockMoved,
}

/// All of them.
pub const KINDS: &[Kind] = &[
    Kind::Killed,
    Kind::Stopped,
    Kind::FrozenInPass,
    Kind::HolderCut,
    Kind::GlanceHangs,
    Kind::Frozen,
    Kind::NovaHangs,
    Kind::StandbyCut,
    Kind::GlanceStopped,
    Kind::ClockMoved,
];

/// Those of the services themselves, and one that is not, for what comes of the mixture.
pub const OF_SERVICES: &[Kind] =
    &[Kind::GlanceHangs, Kind::NovaHangs, Kind::GlanceStopped, Kind::Killed];

/// One fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    /// How long a service hangs or is stopped, or a network is cut; how far a clock is ahead.
    pub time: Duration,
    /// The quiet time before it.
    pub quiet: Duration,
}

/// `SplitMix64`: the same numbers from the same seed.
pub struct Random(pub u64);

impl Random {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }
}

/// So many faults of these kinds: each kind once before any comes a second time. Of those that last, a quarter may last for `longest`.
pub fn draw(kinds: &[Kind], count: usize, longest: Duration, random: &mut Random) -> Vec<Fault> {
    let mut deck = Vec::new();
    let mut fault = || {
        if deck.is_empty() {
            deck = kinds.to_vec();
        }
        let kind = deck.swap_remove(usize::try_from(random.below(deck.len() as u64)).unwrap());
        let most = if random.below(4) == 0 { longest.as_secs() } else { longest.as_secs().min(20) };
        let time = Duration::from_secs(5 + random.below(most - 4));
        Fault { kind, time, quiet: Duration::from_millis(2000 + random.below(4000)) }
    };
    (0..count).map(|_| fault()).collect()
}

//! Since when each replica has been what it is, and how long the last ones took to come up. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use crate::model::{Replica, ServerId, State};
use crate::status::ended_pass::EndedPass;
use crate::status::pool_settings::PoolSettings;

/// So many of the last builds and boots are remembered.
const LAST: usize = 20;

/// What is known of the replicas' lives.
#[derive(Clone, Debug, Default)]
pub struct Lives {
    states: BTreeMap<ServerId, InState>,
    builds: VecDeque<Duration>,
    boots: VecDeque<Duration>,
    seen: bool,
}

/// Since when a replica has been what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InState {
    /// What it is.
    pub state: State,
    /// Since when.
    pub since: SystemTime,
    /// Whether it was so when it was first seen, so that `since` is the latest it can have begun.
    pub at_least: bool,
}

/// What a replica that is not ready yet is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The cloud makes it.
    Build,
    /// It starts.
    Boot,
}

impl Stage {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Build => "build",
            Stage::Boot => "boot",
        }
    }
}

/// How far a build or a boot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which of them.
    pub stage: Stage,
    /// How long it has lasted.
    pub spent: Duration,
    /// How long it may last.
    pub limit: Duration,
    /// How long the last ones took, by their median.
    pub median: Option<Duration>,
}

impl Lives {
    /// The same after `pass`, which may not have seen the pool.
    #[must_use]
    pub fn after(&self, pass: &EndedPass) -> Self {
        let Some(plan) = &pass.report.plan else { return self.clone() };
        let (builds, boots) = (self.builds.clone(), self.boots.clone());
        let mut now = Lives { states: BTreeMap::new(), builds, boots, seen: true };
        for replica in &plan.replicas {
            let before = self.states.get(&replica.id);
            let is_new = self.seen && before.is_none();
            let was = before.map(|before| before.state);
            let was_built = was == Some(State::Creating) && replica.state != State::Creating;
            if let Some(up) = replica.up.filter(|_| was_built) {
                remember(&mut now.builds, replica.age.saturating_sub(up));
            }
            let was_coming = is_new || matches!(was, Some(State::Creating | State::Starting));
            if was_coming && pass.report.answered.contains(&replica.id) {
                remember(&mut now.boots, replica.up.unwrap_or(replica.age));
            }
            let same = before.filter(|before| before.state == replica.state);
            let state = same.copied().unwrap_or_else(|| begun(replica, pass, !self.seen));
            now.states.insert(replica.id.clone(), state);
        }
        now
    }

    /// Since when a replica has been what it is.
    pub fn of(&self, id: &ServerId) -> Option<InState> {
        self.states.get(id).copied()
    }

    /// How far a replica is, `since` after it was seen; `None` for one that is neither built nor booting.
    pub fn progress(
        &self,
        replica: &Replica,
        settings: &PoolSettings,
        since: Duration,
    ) -> Option<Progress> {
        let (stage, spent, limit) = match replica.state {
            State::Creating => (Stage::Build, replica.age, settings.launch_timeout),
            State::Starting => {
                (Stage::Boot, replica.up.unwrap_or(replica.age), settings.boot_grace)
            }
            _ => return None,
        };
        Some(Progress {
            stage,
            spent: spent.saturating_add(since),
            limit,
            median: self.median(stage),
        })
    }

    /// How long the last builds or boots took.
    pub fn median(&self, stage: Stage) -> Option<Duration> {
        let last = match stage {
            Stage::Build => &self.builds,
            Stage::Boot => &self.boots,
        };
        let mut sorted: Vec<Duration> = last.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

fn begun(replica: &Replica, pass: &EndedPass, first_sight: bool) -> InState {
    let seen = pass.began.wall;
    let lasts = match replica.state {
        State::Creating => Some(replica.age),
        State::Starting => replica.up,
        _ => None,
    };
    let begun = lasts.and_then(|lasts| seen.checked_sub(lasts));
    let at_least = first_sight && begun.is_none();
    InState { state: replica.state, since: begun.unwrap_or(seen), at_least }
}

fn remember(last: &mut VecDeque<Duration>, took: Duration) {
    if last.len() >= LAST {
        last.pop_front();
    }
    last.push_back(took);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass::Report;
    use crate::status::fixture::{self, at};

    /// A pass that began then and saw this replica so, this long after its creation and its launch.
    fn pass(began: u64, state: State, age: u64, up: Option<u64>) -> EndedPass {
        let mut report = fixture::good_pass();
        let replicas = &mut report.plan.as_mut().unwrap().replicas;
        replicas.truncate(1);
        let replica = &mut replicas[0];
        (replica.state, replica.age) = (state, Duration::from_secs(age));
        replica.up = up.map(Duration::from_secs);
        if state == State::Healthy {
            report.answered.insert(replica.id.clone());
        }
        EndedPass { began: at(began), ended: at(began + 1), report }
    }

    fn after(passes: &[EndedPass]) -> Lives {
        passes.iter().fold(Lives::default(), |lives, pass| lives.after(pass))
    }

    #[track_caller]
    fn check(passes: &[EndedPass], since: u64, at_least: bool) {
        let lives = after(passes).of(&ServerId::new("id-0")).unwrap();
        assert_eq!((lives.since, lives.at_least), (at(since).wall, at_least));
    }

    #[test]
    fn a_state_has_begun_when_it_was_first_seen() {
        let healthy = |began| pass(began, State::Healthy, 900, Some(900));
        let silent = |began| pass(began, State::Silent, 900, Some(900));
        check(&[healthy(60), silent(120), silent(180)], 120, false);
        check(&[healthy(60), healthy(120)], 60, true);
        let unseen = EndedPass { began: at(120), ended: at(121), report: Report::default() };
        check(&[healthy(60), unseen, healthy(180)], 60, true);
    }

    #[test]
    fn a_build_and_a_boot_have_begun_when_the_cloud_says() {
        check(&[pass(60, State::Creating, 20, None)], 40, false);
        check(&[pass(60, State::Starting, 50, Some(10))], 50, false);
    }

    #[test]
    fn the_median_of_the_last_boots_is_known_and_bounded() {
        let boot = |took| {
            vec![
                pass(60, State::Creating, 5, None),
                pass(120, State::Starting, 30, Some(10)),
                pass(180, State::Healthy, took + 20, Some(took)),
            ]
        };
        let lives = after(&[60, 70, 500].into_iter().flat_map(boot).collect::<Vec<_>>());
        assert_eq!(lives.median(Stage::Boot), Some(Duration::from_secs(70)));
        assert_eq!(lives.median(Stage::Build), Some(Duration::from_secs(20)));
        let lives = after(&(0..100).flat_map(boot).collect::<Vec<_>>());
        assert_eq!(lives.boots.len(), LAST);
        assert_eq!(Lives::default().median(Stage::Boot), None);
    }

    #[test]
    fn replicas_of_before_the_start_tell_nothing_of_boots() {
        let old = || pass(60, State::Healthy, 900, Some(900));
        assert_eq!(after(&[old(), old()]).median(Stage::Boot), None);
    }

    #[test]
    fn progress_is_counted_against_the_limit_of_its_stage() {
        let settings = fixture::before_the_first_pass().settings;
        let seconds = Duration::from_secs;
        let of = |seen: EndedPass| {
            let replica = seen.report.plan.as_ref().unwrap().replicas[0].clone();
            let progress = after(&[seen]).progress(&replica, &settings, seconds(5));
            progress.map(|it| (it.stage, it.spent.as_secs(), it.limit.as_secs()))
        };
        assert_eq!(of(pass(60, State::Creating, 20, None)), Some((Stage::Build, 25, 900)));
        assert_eq!(of(pass(60, State::Starting, 50, Some(10))), Some((Stage::Boot, 15, 600)));
        assert_eq!(of(pass(60, State::Healthy, 50, Some(10))), None);
    }
}

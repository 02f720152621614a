//! DESIGN's table of histories: what the rules against growth come to over days, with every other setting at its default.

use crate::history::{Event, apply};
use crate::stage::{Stage, settings};
use crate::watch::Whom;
use crate::world::weather::Fate;

/// When nothing has changed in the pool for so many passes, and nothing was to be done, nothing ever will.
const STILL: u64 = 12 * HOUR;

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// How the program runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// From the beginning to the end.
    On,
    /// Started again every so many passes.
    Again(u64),
    /// With `--once`.
    Once,
}

/// A history: a pool of so many replicas, passes, and what happens before some of them.
struct Row<'a> {
    set: &'a [(&'a str, &'a str)],
    runs: Runs,
    replicas: u8,
    passes: u64,
    events: &'a [(u64, Event)],
}

/// The result.
struct Figures {
    passes: u64,
    /// VMs of the pool at the end, and at most.
    end: u64,
    most: u64,
    /// Passes that heard of less than the minimum.
    below: u64,
    /// Those of the beginning that are still there.
    left: u64,
    /// What the last plan told people.
    notes: String,
}

fn play(row: &Row<'_>) -> Figures {
    play_with(row, None)
}

/// Whom the watch names in a second in which it begins three passes, after so many ordinary ones again and again.
type Early = Option<(u64, Whom)>;

fn play_with(row: &Row<'_>, early: Early) -> Figures {
    let policy = settings(row.set, row.runs == Runs::Once).policy;
    let minimum = policy.minimum;
    let mut stage = Stage::new(policy, row.replicas, 0, false);
    // Two minutes from the order to the first answer.
    {
        let weather = &mut stage.universe.borrow_mut().world.weather;
        (weather.build, weather.boot) = (50, 70);
    }
    let (mut most, mut below, mut notes, mut still) = (0, 0, String::new(), 0);
    for pass in 0..row.passes {
        for (_, event) in row.events.iter().filter(|(at, _)| *at == pass) {
            apply(&mut stage.universe.borrow_mut(), *event);
        }
        if matches!(row.runs, Runs::Again(every) if pass % every == 0) {
            stage.restart();
        }
        if let Some(whom) = early.filter(|(every, _)| pass % every == 1).map(|(_, whom)| whom) {
            for turn in 0..3 {
                stage.pass_of_a_watch(u64::from(turn == 0), whom, turn);
            }
        }
        if let Some(plan) = stage.pass().and_then(|report| report.plan) {
            still = if plan.is_empty() { still + 1 } else { 0 };
            notes = plan.notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>().join("\n");
        }
        let universe = stage.universe.borrow();
        assert!(universe.judge.broken.is_empty(), "{}", universe.judge.broken.join("\n"));
        most = most.max(universe.world.pool().count());
        let is_below = universe.judge.witness.free() < minimum;
        below += u64::from(is_below);
        if still == STILL && row.events.iter().all(|(at, _)| *at < pass) {
            below += if is_below { row.passes - pass - 1 } else { 0 };
            break;
        }
    }
    let universe = stage.universe.borrow();
    let pool = || universe.world.pool();
    Figures {
        passes: row.passes,
        end: number(pool().count()),
        most: number(most),
        below,
        left: number(pool().filter(|vm| !vm.ours).count()),
        notes,
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Figures {
    /// VMs at the end and at most, within a fifth.
    #[track_caller]
    fn vms(&self, end: u64, most: u64) -> &Self {
        assert!(
            near(self.end, end, 1) && near(self.most, most, 1),
            "{self}; there should be {end} at the end, {most} at most"
        );
        self
    }

    /// Passes below the minimum, within a fifth.
    #[track_caller]
    fn below(&self, below: u64) -> &Self {
        assert!(near(self.below, below, 2), "{self}; {below} passes should be below");
        self
    }
}

impl Figures {
    /// The same where less than the model came to is as good.
    #[track_caller]
    fn below_at_most(&self, below: u64) -> &Self {
        assert!(self.below <= below + (below / 5).max(1), "{self}; {below} passes should be below");
        self
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Figures { passes, end, most, below, left, .. } = self;
        write!(
            formatter,
            "{end} VMs at the end ({most} at most), {below} of {passes} passes below the minimum, {left} of the first \
             replicas left"
        )
    }
}

/// Within a fifth, or `slack` where that is less: figures are whole.
fn near(is: u64, wanted: u64, slack: u64) -> bool {
    is.abs_diff(wanted) <= (wanted / 5).max(slack)
}

const BUILDS_ARE_DEAD: (u64, Event) = (0, Event::Builds(Fate::NeverAnswers));

fn dead_image(runs: Runs) {
    let events = &[BUILDS_ARE_DEAD];
    let row = Row { set: &[], runs, replicas: 0, passes: 14 * DAY, events };
    play(&row).vms(13, 13).below(14 * DAY);
}

#[test]
fn a_dead_image_makes_no_more_than_the_limit_and_a_trial_in_14_days() {
    dead_image(Runs::On);
}

#[test]
fn a_dead_image_makes_no_more_with_daily_restarts() {
    dead_image(Runs::Again(DAY));
}

#[test]
fn a_dead_image_makes_no_more_under_cron() {
    dead_image(Runs::Once);
}

#[test]
fn an_image_that_is_mended_after_two_hours_is_found_out_by_a_trial() {
    for runs in [Runs::On, Runs::Once] {
        let events = &[BUILDS_ARE_DEAD, (2 * HOUR, Event::Builds(Fate::Good))];
        let row = Row { set: &[], runs, replicas: 0, passes: 8 * HOUR, events };
        play(&row).vms(15, 15).below(131);
    }
}

fn dies_two_minutes_after_its_first_answer(runs: Runs) -> Figures {
    let events = &[(0, Event::Builds(Fate::Dies(120, 120)))];
    play(&Row { set: &[], runs, replicas: 0, passes: 7 * DAY, events })
}

#[test]
fn a_service_that_dies_young_is_dead_weight_though_it_answered() {
    dies_two_minutes_after_its_first_answer(Runs::On).vms(13, 13).below(7 * DAY);
}

#[test]
fn under_cron_nobody_knows_who_died_young_and_the_maximum_holds() {
    dies_two_minutes_after_its_first_answer(Runs::Once).vms(100, 100).below(7 * DAY);
}

const SHORT_LIVES: (u64, Event) = (0, Event::Builds(Fate::Dies(300, 2100)));

#[test]
fn a_service_that_dies_within_half_an_hour_is_replaced_again_and_again() {
    let set = &[("REPLICA_REPLACE_SILENT_AFTER", "300")];
    let events = &[SHORT_LIVES];
    let row = Row { set, runs: Runs::On, replicas: 0, passes: 7 * DAY, events };
    play(&row).vms(3, 6).below(3717);
}

#[test]
fn a_service_that_dies_within_half_an_hour_and_is_never_replaced_fills_the_pool_and_the_error_names_the_remedy()
 {
    let row =
        Row { set: &[], runs: Runs::On, replicas: 0, passes: 7 * DAY, events: &[SHORT_LIVES] };
    let figures = play(&row);
    figures.vms(100, 100).below(9602);
    assert!(figures.notes.contains("REPLICA_REPLACE_SILENT_AFTER"), "{}", figures.notes);
}

fn forty_die(runs: Runs, below: u64) {
    let events = &[(HOUR, Event::AllGoSilent)];
    let row = Row { set: &[], runs, replicas: 40, passes: 12 * HOUR, events };
    play(&row).vms(43, 43).below_at_most(below);
}

#[test]
fn forty_of_forty_that_die_are_made_up_for() {
    forty_die(Runs::On, 7);
}

#[test]
fn forty_of_forty_that_die_are_made_up_for_with_hourly_restarts() {
    forty_die(Runs::Again(HOUR), 17);
}

#[test]
fn forty_of_forty_that_die_are_made_up_for_under_cron() {
    forty_die(Runs::Once, 4);
}

#[test]
fn ninety_of_ninety_that_die_with_a_restart_in_between_are_made_up_for() {
    let set = &[("REPLICA_MIN_AVAILABLE_RESOURCES", "120")];
    let events = &[(HOUR, Event::AllGoSilent)];
    let runs = Runs::Again(HOUR);
    let row = Row { set, runs, replicas: 90, passes: 12 * HOUR, events };
    // The model came to 5: its limit only stops the next batch, the program's cuts the last one before it.
    play(&row).vms(130, 130).below(8);
}

#[test]
fn a_pool_of_one_that_dies_every_hour_does_not_leak() {
    let set = &[("REPLICA_MIN_AVAILABLE_RESOURCES", "1"), ("REPLICA_REPLACE_SILENT_AFTER", "300")];
    let events = &[(0, Event::Builds(Fate::Dies(3600, 3600)))];
    let row = Row { set, runs: Runs::On, replicas: 0, passes: 12 * HOUR, events };
    play(&row).vms(1, 2).below(57);
}

fn own_network_is_out(set: &[(&str, &str)], runs: Runs, replicas: u8, minutes: u64) -> Figures {
    let out = (HOUR, Event::OwnNetwork { works: false });
    let back = (HOUR + minutes, Event::OwnNetwork { works: true });
    let row = Row { set, runs, replicas, passes: 2 * HOUR + minutes, events: &[out, back] };
    let figures = play(&row);
    assert_eq!(figures.left, u64::from(replicas), "{figures}");
    figures
}

#[test]
fn while_its_own_network_is_out_nobody_is_deleted_and_one_is_made() {
    for minutes in [12, 12 * HOUR] {
        for runs in [Runs::On, Runs::Once] {
            own_network_is_out(&[], runs, 40, minutes).vms(41, 41).below(minutes);
        }
    }
}

#[test]
fn a_small_pool_outlives_an_outage_of_its_own_network() {
    let replaced = &[("REPLICA_REPLACE_SILENT_AFTER", "300")];
    for set in [&[][..], replaced] {
        own_network_is_out(set, Runs::On, 5, 12 * HOUR).vms(15, 15).below(12 * HOUR);
    }
}

/// What a row comes to when a watch begins passes in between, three in a second every ten minutes: for the sake of the
/// silent, of all, or of anybody.
fn with_early_passes(row: &Row<'_>) -> impl Iterator<Item = Figures> {
    let whom = [Whom::Silent, Whom::All, Whom::Some(0b0101_0011)];
    whom.into_iter().map(|whom| play_with(row, Some((10, whom))))
}

#[test]
fn early_passes_make_no_more_of_a_dead_image() {
    let events = &[BUILDS_ARE_DEAD];
    let row = Row { set: &[], runs: Runs::On, replicas: 0, passes: 2 * DAY, events };
    with_early_passes(&row).for_each(|figures| {
        figures.vms(13, 13).below(2 * DAY);
    });
}

#[test]
fn early_passes_put_off_no_trial() {
    let events = &[BUILDS_ARE_DEAD, (2 * HOUR, Event::Builds(Fate::Good))];
    let row = Row { set: &[], runs: Runs::On, replicas: 0, passes: 8 * HOUR, events };
    with_early_passes(&row).for_each(|figures| {
        figures.vms(15, 15).below(131);
    });
}

#[test]
fn early_passes_make_no_more_of_those_that_die_young() {
    let events = &[(0, Event::Builds(Fate::Dies(120, 120)))];
    let row = Row { set: &[], runs: Runs::On, replicas: 0, passes: DAY, events };
    with_early_passes(&row).for_each(|figures| {
        figures.vms(13, 13).below(DAY);
    });
}

#[test]
fn early_passes_hurry_no_replacement_of_the_silent() {
    let set = &[("REPLICA_REPLACE_SILENT_AFTER", "300")];
    let events = &[SHORT_LIVES];
    let row = Row { set, runs: Runs::On, replicas: 0, passes: 7 * DAY, events };
    // With a watch that names the healthy every ten minutes nobody lasts, so pauses are long: that is not judged here.
    play_with(&row, Some((10, Whom::Silent))).vms(3, 6).below(3717);
}

#[test]
fn early_passes_neither_hurry_nor_hinder_what_makes_up_for_forty_of_forty() {
    let events = &[(HOUR, Event::AllGoSilent)];
    let row = Row { set: &[], runs: Runs::On, replicas: 40, passes: 12 * HOUR, events };
    with_early_passes(&row).for_each(|figures| {
        figures.vms(43, 43).below_at_most(7);
    });
}

#[test]
fn early_passes_make_no_more_while_the_own_network_is_out() {
    let (out, back) = (Event::OwnNetwork { works: false }, Event::OwnNetwork { works: true });
    let events = &[(HOUR, out), (HOUR + 12, back)];
    let row = Row { set: &[], runs: Runs::On, replicas: 40, passes: 2 * HOUR, events };
    for figures in with_early_passes(&row) {
        figures.vms(41, 41).below(12);
        assert_eq!(figures.left, 40, "{figures}");
    }
}

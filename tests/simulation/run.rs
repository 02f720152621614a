//! One history: the program runs through it, and then has to come to rest.

use simplescalevm::error::one_line;
use simplescalevm::model::Answer;
use simplescalevm::pass::Report;
use simplescalevm::plan::Plan;

use crate::history::{Event, History, apply};
use crate::judge::Rule;
use crate::reach::Reach;
use crate::stage::Stage;
use crate::world::MARK;
use crate::world::vm::{Phase, Vm};

/// Once faults end, the pool is as wanted within so many passes: 30 for the longest pause, 30 until the next trial, 10
/// in which it has to last, 10 for a deletion that got stuck or a pair that was refused, and 20 for batches that double
/// from one, for builds and for brakes.
pub const SETTLED_WITHIN: usize = 100;

/// So many passes in a row with nothing to do are rest.
pub const REST: usize = 6;

/// What came of a history.
pub struct End {
    /// Passes that were begun.
    pub passes: u64,
    /// Passes from the end of the faults to rest.
    pub settled_after: usize,
    /// What was broken, in words.
    pub broken: Vec<String>,
    pub story: Vec<String>,
    pub reach: Reach,
}

/// Goes through a history. `tell` keeps the story, which takes time.
pub fn run(history: &History, tell: bool) -> End {
    let settings = &history.settings;
    let addresses = settings.addresses.unwrap_or(0);
    let mut stage = Stage::new(settings.policy(), settings.replicas, addresses, tell);
    stage.watch_every(settings.watch);
    let mut settled_after = 0;
    for event in &history.events {
        happens(&mut stage, *event);
        if stage.is_broken() {
            return end(&stage, settled_after);
        }
    }
    come_to_rest(&mut stage, &mut settled_after);
    end(&stage, settled_after)
}

/// Lets it happen.
pub fn happens(stage: &mut Stage, event: Event) {
    stage.universe.borrow_mut().tell(|| format!("{event:?}"));
    match event {
        Event::Passes(count) => passes(stage, count, Stage::pass),
        Event::Early { passes: count, apart } => {
            passes(stage, count, |stage| stage.early_pass(apart.into()));
        }
        Event::Lost { passes: count, apart, whom } => {
            for turn in 0..count {
                stage.pass_of_a_watch(apart.into(), whom, turn);
                if stage.is_broken() {
                    return;
                }
            }
        }
        Event::Restart => stage.restart(),
        Event::Pause { minutes } => stage.pause(60 * u64::from(minutes)),
        other => apply(&mut stage.universe.borrow_mut(), other),
    }
}

fn passes(stage: &mut Stage, count: u8, pass: impl Fn(&mut Stage) -> Option<Report>) {
    for _ in 0..count {
        pass(stage);
        if stage.is_broken() {
            return;
        }
    }
}

/// Faults end: the pool has to get where it should be, and stay there.
fn come_to_rest(stage: &mut Stage, settled_after: &mut usize) {
    {
        let universe = &mut *stage.universe.borrow_mut();
        universe.tell(|| "faults end".to_owned());
        universe.world.settle();
        universe.world.heal();
        universe.end = None;
        universe.meanwhile = None;
    }
    let (mut rest, mut wanting) = (0, String::new());
    for pass in 0..SETTLED_WITHIN + REST {
        let Some(report) = stage.pass() else { return };
        if stage.is_broken() {
            return;
        }
        match still_wanting(stage, &report) {
            None => rest += 1,
            Some(what) => {
                (rest, wanting) = (0, what);
                *settled_after = pass + 1;
            }
        }
        if rest == REST {
            return;
        }
    }
    let what = format!("{SETTLED_WITHIN} passes after the faults: {wanting}");
    stage.universe.borrow_mut().judge.breaks(Rule::Settles, what);
}

/// What is not yet as it should be.
fn still_wanting(stage: &Stage, report: &Report) -> Option<String> {
    let universe = stage.universe.borrow();
    let plan = report.plan.as_ref()?;
    if !plan.is_empty() {
        let steps = one_line(&plan.to_string(), 200);
        return Some(format!("there is still something to do: {steps}"));
    }
    let world = &universe.world;
    let broken = |vm: &Vm| match vm.phase {
        Phase::Deleting { .. } => true,
        Phase::Error => vm.launched.is_none(),
        _ => matches!(vm.answer(), Answer::Valid { termination: true, .. }),
    };
    if let Some(vm) = world.pool().find(|vm| !vm.locked && broken(vm)) {
        return Some(format!("{} is still there", vm.id));
    }
    let free = world.pool().map(Vm::free).fold(0, u64::saturating_add);
    let wanted = stage.policy().minimum;
    if free < wanted
        && let Err(why) = universe.judge.may_stay_short(world, names_a_limit(plan))
    {
        return Some(format!("{free} resources answer, {wanted} are wanted, and {why}"));
    }
    if !stage.policy().manage_addresses {
        return None;
    }
    let holds = |id| world.addresses.iter().any(|one| one.holder.as_ref() == Some(id));
    let spare =
        world.pool().find(|vm| vm.is_healthy() && vm.foreign.is_none() && !holds(&vm.id))?;
    let lost = world.addresses.iter().find(|one| match &one.holder {
        None => true,
        Some(holder) => {
            world.vm(holder).is_none_or(|vm| vm.mark.as_deref() == Some(MARK) && !vm.is_healthy())
        }
    })?;
    Some(format!("{} serves nobody, and {} could have it", lost.address, spare.id))
}

/// Whether the plan says that the pool is as large as it may be, or that what is made is never listed. There is no quota any more, and what the dead weight
/// limit waits for is a trial, which goes well now: nothing else is a reason to be short for ever.
fn names_a_limit(plan: &Plan) -> bool {
    let held_back = plan.held_back.iter().map(|held| held.why.as_str());
    let notes = plan.notes.iter().map(|note| note.text.as_str());
    let limits = ["REPLICA_MAX", "exists but is not listed"];
    held_back.chain(notes).any(|text| limits.iter().any(|limit| text.contains(limit)))
}

fn end(stage: &Stage, settled_after: usize) -> End {
    let universe = &mut *stage.universe.borrow_mut();
    End {
        passes: stage.passes,
        settled_after,
        broken: std::mem::take(&mut universe.judge.broken),
        story: universe.story.take().unwrap_or_default(),
        reach: std::mem::take(&mut universe.reach),
    }
}

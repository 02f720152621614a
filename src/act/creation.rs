//! Replicas come, and are looked at once: a cloud that drops their marks would let a pool grow without end, unseen.

use crate::act::Acting;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{BATCH_KEY, Replica, Server, ServerId, State, TRIAL_KEY};
use crate::outcome::{CreationOutcome, StepResult};
use crate::plan::{Batch, Plan, StepKind};
use crate::provider::Creation;

/// Makes a batch, once.
pub fn create(acting: &mut Acting<'_>, plan: &Plan, batch: &Batch) {
    if let Some(result) = acting.no_time(StepKind::Create, acting.spent(), true) {
        acting.add(StepKind::Create, "", batch, result);
        return;
    }
    if batch.trial && a_trial_stays(acting, plan) {
        let why = "the last trial is not deleted yet; the next pass tries again";
        acting.add(StepKind::Create, "", batch, StepResult::NotTried(why.to_owned()));
        return;
    }
    let creation = Creation {
        name: format!("{}-{}", acting.hands.naming.prefix, batch.mark),
        count: batch.count,
        metadata: metadata(acting, batch),
    };
    let (mut result, mut left) = (acting.hands.provider.create(&creation), None);
    if let Err(error) = &result
        && error.kind == ErrorKind::NotOurTurn
    {
        acting.add(StepKind::Create, "", batch, Acting::not_done(error.clone()));
        return;
    }
    if let Ok(first) = &result
        && lacks_its_marks(acting, batch, first)
    {
        let (error, remains) = unmake(acting, batch, &creation, first);
        (result, left) = (Err(error), remains);
    }
    let made = match &result {
        Ok(_) => StepResult::Done,
        Err(error) => StepResult::Failed(error.clone()),
    };
    acting.add(StepKind::Create, "", batch, made);
    let (mark, count, trial) = (batch.mark.clone(), batch.count, batch.trial);
    acting.outcome.creation = Some(CreationOutcome { mark, count, trial, result, left });
}

/// Whether a trial that was to be deleted is still there. Only the last trial ever makes way for the next one, so it
/// would stay for good. A deletion that was accepted and never ends is the cloud's problem.
fn a_trial_stays(acting: &Acting<'_>, plan: &Plan) -> bool {
    let is_trial = |replica: &&Replica| replica.trial && replica.state != State::Deleting;
    plan.replicas.iter().filter(is_trial).any(|trial| {
        let goes = plan.deletions.iter().any(|step| step.server == trial.id);
        goes && !acting.outcome.deleted.contains(&trial.id)
    })
}

fn metadata(acting: &Acting<'_>, batch: &Batch) -> Vec<(String, String)> {
    let (key, value) = acting.hands.naming.mark;
    let mut metadata = vec![(key, value), (BATCH_KEY, &batch.mark)];
    if batch.trial {
        metadata.push((TRIAL_KEY, "true"));
    }
    metadata.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Whether the cloud shows what was just made without its marks. One that shows nothing proves nothing: the next passes
/// follow the batch.
fn lacks_its_marks(acting: &mut Acting<'_>, batch: &Batch, first: &ServerId) -> bool {
    match acting.hands.provider.server(first) {
        Ok(server) => server.is_some_and(|server| !is_marked(acting, batch, &server)),
        Err(error) => {
            log::debug!("cannot look up server {first}, which was just made: {error}");
            false
        }
    }
}

fn is_marked(acting: &Acting<'_>, batch: &Batch, server: &Server) -> bool {
    let (_, mark) = acting.hands.naming.mark;
    server.mark.as_deref() == Some(mark)
        && server.batch.as_deref() == Some(&batch.mark)
        && (server.trial || !batch.trial)
}

/// Deletes again what was just made: the first server by its id, the rest of its batch by its name, which no other server
/// has. Gives the failure that this is, and the first server that is still there.
fn unmake(
    acting: &mut Acting<'_>,
    batch: &Batch,
    creation: &Creation,
    first: &ServerId,
) -> (Error, Option<ServerId>) {
    let began = acting.spent();
    let mut undone = Undone::default();
    undone.delete(first, acting.hands.provider.delete(first));
    if batch.count > 1 {
        match acting.hands.provider.servers() {
            Ok(listing) => {
                let others = listing.servers.into_iter().filter(|server| {
                    server.id != *first
                        && is_of(&creation.name, &server.name)
                        && !is_marked(acting, batch, server)
                });
                for server in others.collect::<Vec<_>>() {
                    let result = match acting.no_time(StepKind::Delete, began, false) {
                        Some(_) => Err(Error::new(ErrorKind::Unclear, "no time left")),
                        None => acting.hands.provider.delete(&server.id),
                    };
                    undone.delete(&server.id, result);
                }
            }
            Err(error) => undone.trouble(error.context("cannot list the others")),
        }
    }
    let metadata: Vec<String> =
        creation.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut text = format!(
        "the cloud made them without their metadata ({}), so the pool would never see them and would grow without end: \
         {} of {} are deleted again; find out whether the cloud or a proxy in front of it drops the metadata of POST \
         /servers",
        metadata.join(", "),
        undone.deleted,
        batch.count,
    );
    if let Some(trouble) = undone.trouble {
        text =
            format!("{text}, and delete the servers named {} yourself: {trouble}", creation.name);
    }
    (Error::new(ErrorKind::Invalid, text), undone.left)
}

/// The outcome of undoing what was just made.
#[derive(Default)]
struct Undone {
    deleted: u64,
    left: Option<ServerId>,
    trouble: Option<Error>,
}

impl Undone {
    fn delete(&mut self, id: &ServerId, result: Result<()>) {
        match result {
            Ok(()) => self.deleted += 1,
            Err(error) => {
                self.trouble(error.context(format!("cannot delete {id}")));
                self.left.get_or_insert_with(|| id.clone());
            }
        }
    }

    /// The first one is said.
    fn trouble(&mut self, error: Error) {
        self.trouble.get_or_insert(error);
    }
}

/// Whether a server's name is that of a creation: the plain one, or numbered.
fn is_of(creation: &str, name: &str) -> bool {
    let Some(rest) = name.strip_prefix(creation) else { return false };
    let number = rest.strip_prefix('-').unwrap_or_default();
    rest.is_empty() || (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn a_batch_is_told_by_its_whole_name() {
        for name in ["vm-abc-1", "vm-abc-1-1", "vm-abc-1-12"] {
            assert!(is_of("vm-abc-1", name), "{name}");
        }
        for name in
            ["vm-abc-12", "vm-abc-1-", "vm-abc-1-x", "vm-abc-1-1-1", "vm-abc", "my-vm-abc-1"]
        {
            assert!(!is_of("vm-abc-1", name), "{name}");
        }
    }
}

//! Many services at once: how many at a time, which ones first, and when to stop.

mod pool;
mod run;

use clap::Args;

use super::ActingArgs;
use super::report::{Style, choose, report, why_nothing_changed};
use super::rollback_on_failure;
use super::rollback_on_failure::{Undo, UndoArgs, Way};
use crate::api::deploy::update::{NotBegun, Outcome, Posts, Verdict};
use crate::api::http::client::Client;
use crate::api::resources::services::Service;
use crate::api::spec::BadValue;
use crate::cli::exit::Exit;
use crate::cli::global::Global;
use crate::cli::parallel;
use crate::cli::progress::Progress;
use crate::cli::select::{Chosen, Each, Jobs, SelectArgs};

/// Requests that are under way at the same time where nothing says otherwise.
const AT_ONCE: usize = 8;

/// Flags of every command that changes many services.
#[derive(Args, Debug)]
pub struct BatchArgs {
    /// So many services at a time, each until it has converged; with --detach so many posts
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    parallel: usize,
    /// Change so many services first, and the others only when these have converged
    #[arg(long, value_name = "N", value_parser = positive)]
    canary: Option<usize>,
    /// Begin no more services once so many have failed; 0: go on
    #[arg(long, value_name = "N", default_value_t = 1)]
    max_failures: usize,
}

/// What is to be done to one service.
#[derive(Debug)]
pub struct Job<J> {
    /// The service as it was named on the command line.
    pub given: String,
    /// The service, as it was found.
    pub service: Service,
    /// What else is known of what to do.
    pub with: J,
}

/// A job, or how it ended before it could be begun.
pub type Planned<J> = Result<Job<J>, Box<Outcome>>;

/// The command that does the jobs.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    pub client: &'a Client,
    pub global: &'a Global,
    pub acting: &'a ActingArgs,
    pub args: &'a BatchArgs,
    pub undo: Option<&'a UndoArgs>,
    pub style: Style,
}

/// By which rules jobs are done.
#[derive(Clone, Debug)]
struct Rules {
    parallel: usize,
    canary: Option<usize>,
    /// 0: there may be any number.
    max_failures: usize,
    failed_before: usize,
    /// Whether the rollouts are watched.
    waits: bool,
    /// Whether nothing is posted.
    is_plan: bool,
    /// Whether what has failed is undone.
    undoes: bool,
}

impl BatchArgs {
    /// Refuses what contradicts itself.
    pub fn check(&self, acting: &ActingArgs) -> Result<(), BadValue> {
        match self.canary {
            Some(_) if acting.detach => Err(BadValue::new(
                "--canary waits for the first services to converge, and --detach does not wait",
                "swarmctl restart --stack shop --canary 1",
            )),
            _ => Ok(()),
        }
    }
}

impl<J> Job<J> {
    /// The same job with other work to do.
    pub fn with<K>(self, with: K) -> Job<K> {
        Job { given: self.given, service: self.service, with }
    }
}

impl Batch<'_> {
    /// One job for each service that is named or selected. Where nothing can be done at all, that is reported.
    ///
    /// # Errors
    /// The inner one is the exit code of what was reported.
    pub fn jobs(
        &self,
        select: &SelectArgs,
        names: &[String],
    ) -> anyhow::Result<Result<Vec<Planned<()>>, Exit>> {
        self.jobs_of(select, names, Jobs::LeftAlone)
    }

    /// [`Batch::jobs`], of a command that may take in services that run to an end.
    pub fn jobs_of(
        &self,
        select: &SelectArgs,
        names: &[String],
        jobs: Jobs,
    ) -> anyhow::Result<Result<Vec<Planned<()>>, Exit>> {
        let chosen = self.choose(select, names, jobs)?;
        Ok(chosen.map(|chosen| chosen.into_iter().map(|one| planned(one, ())).collect()))
    }

    /// [`Batch::jobs`], with what each shall have.
    ///
    /// # Errors
    /// Also where two names are those of one service, which cannot have two different things.
    pub fn jobs_for_each<T: Clone + PartialEq>(
        &self,
        select: &SelectArgs,
        each: Each<T>,
    ) -> anyhow::Result<Result<Vec<Planned<T>>, Exit>> {
        let (names, values): (Vec<String>, Vec<T>) = match each {
            Each::Named(pairs) => pairs.into_iter().unzip(),
            Each::All(value) => (Vec::new(), vec![value]),
        };
        let chosen = match self.choose(select, &names, Jobs::LeftAlone)? {
            Ok(chosen) => chosen,
            Err(exit) => return Ok(Err(exit)),
        };
        let mut jobs = Vec::with_capacity(chosen.len());
        for one in chosen {
            let first = one.at.first().copied().unwrap_or(0);
            if let Some(other) = one.at.iter().find(|other| values[**other] != values[first]) {
                let why = format!(
                    "`{}` and `{}` are one service, which cannot have both",
                    names[first], names[*other]
                );
                return Err(BadValue::new(why, "one of the two").into());
            }
            jobs.push(planned(one, values[first].clone()));
        }
        Ok(Ok(jobs))
    }

    fn choose(
        &self,
        select: &SelectArgs,
        names: &[String],
        jobs: Jobs,
    ) -> anyhow::Result<Result<Vec<Chosen>, Exit>> {
        let style = Style { json: self.acting.json, ..self.style };
        let chosen = choose(self.client, select, names, jobs, style, self.global)?;
        Ok(chosen.inspect(|chosen| select.show(chosen, style.verb)))
    }

    /// Finds out what to do to each service, before anything is done to one of them.
    pub fn prepare<J: Send, K: Send>(
        &self,
        jobs: Vec<Planned<J>>,
        plan: impl Fn(Job<J>) -> Planned<K> + Sync,
    ) -> Vec<Planned<K>> {
        let are_many = jobs.len() > 1;
        at_once(jobs, |job| {
            let mut planned = job.and_then(&plan);
            // Thousands of specs that were looked into would take ten times their room until their turn comes.
            match &mut planned {
                Ok(job) if are_many => job.service.shelve(),
                Err(outcome) if are_many => outcome.shelve(),
                _ => {}
            }
            planned
        })
    }

    /// Does `act` with all jobs, watches what comes of it, and reports.
    pub fn run<J: Send>(
        &self,
        jobs: Vec<Planned<J>>,
        act: impl Fn(Job<J>) -> Outcome + Sync,
    ) -> anyhow::Result<Exit> {
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(jobs.len());
        let (mut keys, mut begun) = (Vec::new(), Vec::new());
        for (key, job) in jobs.into_iter().enumerate() {
            outcomes.push(match job {
                Ok(job) => {
                    keys.push(key);
                    begun.push(job);
                    None
                }
                Err(outcome) => Some(*outcome),
            });
        }
        let undo = self.undo.map_or(Undo::No, UndoArgs::what);
        let rules = Rules {
            parallel: self.args.parallel,
            canary: self.args.canary,
            max_failures: self.args.max_failures,
            failed_before: outcomes.iter().flatten().filter(|one| is_failure(one)).count(),
            waits: !self.acting.detach,
            is_plan: self.style.is_plan,
            undoes: undo != Undo::No,
        };
        let mut progress = self.acting.progress.renderer(self.global);
        let ended = match self.blocked(outcomes.iter().flatten(), &rules) {
            Some(why) => begun.into_iter().map(|job| not_begun(job, why.clone())).collect(),
            None => run::run(self.client, begun, &act, &rules, &mut *progress),
        };
        for (key, outcome) in keys.iter().zip(ended) {
            outcomes[*key] = Some(outcome);
        }
        let mut outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
        if undo == Undo::All && has_failed(&outcomes, &rules) {
            self.undo_all(&mut outcomes, &rules, &mut *progress);
        }
        let sums_up = !self.acting.progress.is_quiet()
            && !outcomes.iter().any(|one| matches!(one.verdict, Verdict::Planned));
        report(Style { json: self.acting.json, sums_up, ..self.style }, &outcomes, self.global)
    }

    /// Why nothing is changed: too many services cannot be, which is known before the first request that changes one.
    fn blocked<'o>(&self, ended: impl Iterator<Item = &'o Outcome>, rules: &Rules) -> Option<String> {
        let is_blocked = rules.max_failures > 0 && rules.failed_before >= rules.max_failures;
        is_blocked.then(|| why_nothing_changed(ended.filter(|one| is_failure(one)), self.style))
    }

    /// Undoes what has gone well, the last first, because others have failed.
    fn undo_all(&self, outcomes: &mut [Outcome], rules: &Rules, progress: &mut dyn Progress) {
        let is_done = |one: &Outcome| one.posts == Posts::Taken && matches!(one.verdict, Verdict::Converged);
        let (mut done, mut jobs) = (Vec::new(), Vec::new());
        for outcome in outcomes.iter_mut().filter(|one| is_done(one)).rev() {
            if let (Some(way), Some(service)) = (Way::back_of(outcome), outcome.service.clone()) {
                jobs.push(Job { given: outcome.given.clone(), service, with: way });
                done.push(outcome);
            }
        }
        let rules = Rules { max_failures: 0, failed_before: 0, canary: None, undoes: false, ..rules.clone() };
        let act = |job: Job<Way>| job.with.go(self.client, &job.given);
        let undone = run::run(self.client, jobs, &act, &rules, progress);
        done.iter_mut()
            .zip(undone)
            .for_each(|(outcome, undone)| rollback_on_failure::put_down_beside(outcome, undone));
    }
}

fn not_begun<J>(job: Job<J>, why: String) -> Outcome {
    let mut outcome = Outcome::new(&job.given, Verdict::NotBegun(NotBegun::Blocked(why)));
    outcome.service = Some(job.service);
    outcome
}

fn planned<J>(Chosen { given, found, .. }: Chosen, with: J) -> Planned<J> {
    match found {
        Ok(service) => Ok(Job { given, service, with }),
        Err(error) => Err(Box::new(Outcome::new(&given, Outcome::ending(error, Posts::None)))),
    }
}

/// Does `work` for all, several at a time; the results are in the order of the items.
pub fn at_once<W: Send, R: Send>(items: Vec<W>, work: impl Fn(W) -> R + Sync) -> Vec<R> {
    parallel::map(items, AT_ONCE, work)
}

/// Whether so many have failed that the batch as a whole has: what `--rollback-on-failure=all` undoes.
fn has_failed(outcomes: &[Outcome], rules: &Rules) -> bool {
    let was_stopped = |one: &Outcome| {
        matches!(one.verdict, Verdict::NotBegun(NotBegun::Canary | NotBegun::Failures | NotBegun::Blocked(_)))
    };
    outcomes.iter().any(was_stopped)
        || outcomes.iter().filter(|one| is_failure(one)).count() >= rules.max_failures.max(1)
}

/// Whether a service is not as it was asked for. One that is left alone keeps no other from being changed.
fn is_failure(outcome: &Outcome) -> bool {
    !matches!(outcome.verdict, Verdict::Skipped(_) | Verdict::WouldRestart(_) | Verdict::Unchanged(_))
        && !matches!(Exit::of_outcome(outcome, None), Exit::Done | Exit::Different)
}

/// A number that is not 0.
fn positive(text: &str) -> Result<usize, BadValue> {
    match text.parse() {
        Ok(number @ 1..=10_000) => Ok(number),
        _ => Err(BadValue::new(format!("`{text}` is no number from 1 to 10000"), "4")),
    }
}

//! `update-image`: set the one image of services.

pub mod list;
mod wanted;

use clap::Args;

use crate::api::deploy::update::{Ask, Posts, To, Unchanged, Verdict, update};
use crate::api::http::client::Client;
use crate::api::spec::{Edit, Place};
use crate::cli::deploy::batch::{Batch, BatchArgs, Job, Planned};
use crate::cli::deploy::report::Style;
use crate::cli::deploy::repository::{Alternative, RepositoryArgs};
use crate::cli::deploy::rollback_on_failure::UndoArgs;
use crate::cli::deploy::{
    ActingArgs, EditArgs, JOB_RUNS_AGAIN, as_one_of_many, end, refuse, refused_beforehand,
};
use crate::cli::exit::Exit;
use crate::cli::flags::image::{ImageArgs, ImageChange, announce};
use crate::cli::global::Global;
use crate::cli::select::SelectArgs;
use wanted::{New, WantedArgs};

/// Change the image of services, and nothing else
///
/// The service is read with its version index, its one image is set, and the otherwise untouched spec is posted.
/// Where someone else changed the service meanwhile, their change is kept and the image is set again.
///
/// The tag is pinned to the digest that the registry has now; where that runs already, nothing is posted.
///
/// Many services: pairs (`web=shop/web:1.8 api=shop/api:1.8`), --from a list, or --filter, --stack or --all with one
/// IMAGE, with --tag or with --refresh. All of it is checked before the first post. A selection leaves jobs alone.
///
/// One IMAGE for a selection is refused if a selected service runs another repository, unless --any-repository is given.
#[derive(Args, Debug)]
#[command(override_usage = "swarmctl update-image [OPTIONS] SERVICE IMAGE\n       \
    swarmctl update-image [OPTIONS] SERVICE=IMAGE...\n       \
    swarmctl update-image [OPTIONS] --filter KEY=VALUE|--stack NAME|--all IMAGE\n       \
    swarmctl update-image [OPTIONS] --tag TAG|--refresh SERVICE...|--filter KEY=VALUE|--stack NAME|--all\n       \
    swarmctl update-image [OPTIONS] --from FILE")]
pub struct UpdateImageArgs {
    #[command(flatten)]
    wanted: WantedArgs,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    repository: RepositoryArgs,
    /// Restart the tasks also where the image is there already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pin: ImageArgs,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    undo: UndoArgs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// Runs the command.
pub fn run(args: UpdateImageArgs, global: &Global) -> anyhow::Result<Exit> {
    let wanted = args.wanted.read(&args.select)?;
    for new in wanted.values() {
        new.check(&args.pin)?;
    }
    args.batch.check(&args.acting)?;
    let one_image = args.wanted.of_selection(&wanted);
    let client = args.acting.client(global)?;
    let batch = Batch {
        client: &client,
        global,
        acting: &args.acting,
        args: &args.batch,
        undo: Some(&args.undo),
        style: args.edit.style(Style::of("update-image", "update", "updated")),
    };
    let jobs = match batch.jobs_for_each(&args.select, wanted)? {
        Ok(jobs) => jobs,
        Err(exit) => return Ok(exit),
    };
    if let Some((typed, image)) = &one_image {
        args.repository.check(image, &jobs, Alternative::for_typed("--tag", typed, image))?;
    }
    args.edit.check(jobs.len())?;
    let of = jobs.len();
    let is_for_named_images = !args.select.is_given() && args.wanted.names_images();
    let ask = |change: &ImageChange| {
        let mut edits = change.edits.clone();
        if args.force {
            edits.push(Edit::increment(Place::at("TaskTemplate.ForceUpdate")));
        }
        // To post credentials alone resumes a paused rollout: they may be what it lacks where they were given for just this.
        let spares_paused = edits.is_empty() && !is_for_named_images;
        Ask { auth: change.auth.clone(), spares_paused, ..args.edit.ask(To::Edited(edits), of) }
    };
    let jobs = batch.prepare(jobs, |job| {
        let job = change_for(&client, global, job, &args)?;
        match refused_beforehand(&client, &job.given, &job.service, &ask(&job.with), true) {
            Some(refused) => Err(refused),
            None => Ok(job),
        }
    });
    announce(&jobs, |change| change);
    batch.run(jobs, |Job { given, service, with: change }| {
        let ask = ask(&change);
        let resumes = matches!(&ask.to, To::Edited(edits) if edits.is_empty())
            && service.is_paused()
            && !service.is_job();
        let is_job = service.is_job();
        let mut outcome = update(&client, &given, service, &ask);
        if is_job && outcome.posts != Posts::None {
            outcome.warnings.push(JOB_RUNS_AGAIN.to_owned());
        }
        match outcome.verdict {
            // One that was selected keeps no other from being updated.
            Verdict::Paused => outcome.verdict = Verdict::Unchanged(Unchanged::Paused),
            _ if resumes && outcome.posts != Posts::None => {
                outcome.warnings.push("its rollout was paused; the new credentials resume it".to_owned());
            }
            _ => {}
        }
        change.tell(&mut outcome);
        outcome
    })
}

/// What a service takes to have its image; nothing is posted yet.
fn change_for(
    client: &Client,
    global: &Global,
    job: Job<New>,
    args: &UpdateImageArgs,
) -> Planned<ImageChange> {
    let refused = |job: Job<New>, why: String| {
        let refused = refuse(&job.given, job.service, why);
        Box::new(if args.select.is_given() { as_one_of_many(refused) } else { refused })
    };
    let Some(current) = job.service.image() else {
        return Err(refused(
            job,
            "it runs no container (it has no ContainerSpec), so it has no image".to_owned(),
        ));
    };
    let asked = match job.with.image(current) {
        Ok(asked) => asked,
        Err(why) => return Err(refused(job, why)),
    };
    let change = match args.pin.change(client, global, current, &asked, args.force) {
        Ok(change) => change,
        Err(error) => return Err(Box::new(end(&job.given, job.service, error))),
    };
    Ok(job.with(change))
}

//! `update`: change any setting of a service.

use clap::Args;
use serde_json::Value;

use super::rollback::{FailedSpec, roll_back};
use crate::api::deploy::update::{Ask, Conflict, To, Verdict};
use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::references;
use crate::api::resources::services::Service;
use crate::api::shell;
use crate::api::spec::{
    self, BadValue, Document, Edit, Occupied, Op, Place, ReferenceKind, Settled, no_new_mode, no_new_name,
};
use crate::cli::deploy::batch::{Batch, BatchArgs, Job, Planned};
use crate::cli::deploy::report::Style;
use crate::cli::deploy::repository::{Alternative, RepositoryArgs};
use crate::cli::deploy::rollback_on_failure::UndoArgs;
use crate::cli::deploy::{ActingArgs, EditArgs, end, refuse, refused_beforehand, update_beside_a_rollout};
use crate::cli::exit::Exit;
use crate::cli::flags::image::{ImageArgs, ImageChange, announce};
use crate::cli::flags::{SpecArgs, UpdateFlags, check_engine};
use crate::cli::global::Global;
use crate::cli::select::SelectArgs;

/// Update services
///
/// The flags are docker's; what none of them names stays as it is, order included. Where someone else changed the
/// service meanwhile, their change is kept and the flags are applied again.
#[derive(Args, Debug)]
pub struct UpdateArgs {
    /// Services: names, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    spec: SpecArgs,
    /// Merge --spec also where its Version.Index is not the current one
    #[arg(long)]
    force_spec: bool,
    /// Roll back to the previous spec; goes with no flag that changes one
    #[arg(long)]
    rollback: bool,
    #[command(flatten)]
    pin: ImageArgs,
    /// Refused: the engine cannot rename a service
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Refused: the engine cannot change the mode of a service
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// Update also where the rollout is paused, and so resume it
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    undo: UndoArgs,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    acting: ActingArgs,
    #[command(flatten)]
    flags: UpdateFlags,
}

/// Runs the command.
pub fn run(args: UpdateArgs, global: &Global) -> anyhow::Result<Exit> {
    if let Some(name) = &args.name {
        return Err(no_new_name(args.services.first().map_or("", String::as_str), name).into());
    }
    if let Some(mode) = &args.mode {
        return Err(no_new_mode(args.services.first().map_or("", String::as_str), mode).into());
    }
    let document = args.spec.document()?;
    if args.rollback && (document.is_some() || !args.flags.is_empty()) {
        return Err(
            BadValue::new("`--rollback` goes with no flag that changes the spec", "--rollback web").into()
        );
    }
    let edits = args.flags.edits()?;

    args.select.check(&args.services, "swarmctl update --env-add LEVEL=debug web")?;
    args.batch.check(&args.acting)?;
    let client = args.acting.client(global)?;
    let brought = document.as_ref().map(Document::as_new).unwrap_or_default();
    check_engine(&client, &[edits.as_slice(), &brought].concat())?;
    let batch = Batch {
        client: &client,
        global,
        acting: &args.acting,
        args: &args.batch,
        undo: Some(&args.undo),
        style: args.edit.style(Style::of("update", "update", "updated")),
    };
    let jobs = match batch.jobs(&args.select, &args.services)? {
        Ok(jobs) => jobs,
        Err(exit) => return Ok(exit),
    };
    if args.select.is_given()
        && let Some(image) = take_image(&mut edits.clone(), |_| true)
    {
        let alternative = Alternative::for_image("swarmctl update-image --tag", &image);
        args.repository.check(&image, &jobs, alternative)?;
    }
    let of = jobs.len();
    args.edit.check(of)?;
    if document.is_some() && of > 1 {
        let why = format!("a spec is that of one service, and these are {of}");
        return Err(BadValue::new(why, "swarmctl update --spec web.json web").into());
    }
    if args.rollback {
        let ask = args.edit.ask(To::Previous, of);
        return roll_back(&batch, jobs, args.select.is_given(), FailedSpec::Refuse, &ask);
    }
    let jobs = batch.prepare(jobs, |job| change_for(&client, global, job, &edits, document.as_ref(), &args));
    announce(&jobs, |(_, image)| image);
    batch.run(jobs, |Job { given, service, with: (settled, image) }| {
        let ask = Ask { auth: image.auth.clone(), ..args.edit.ask(To::Edited(settled.edits), of) };
        let mut outcome = update_beside_a_rollout(&client, &given, service, ask, args.resume);
        outcome.dropped.extend(settled.not_stored);
        image.tell(&mut outcome);
        outcome
    })
}

/// What the flags mean for a service; nothing is posted yet.
fn change_for(
    client: &Client,
    global: &Global,
    job: Job<()>,
    edits: &[Edit],
    document: Option<&Document>,
    args: &UpdateArgs,
) -> Planned<(Settled, ImageChange)> {
    let (given, service) = (&job.given, &job.service);
    if let Some(wanted) = document.and_then(|document| document.version)
        && wanted != service.version()
        && !args.force_spec
    {
        let now = service.version();
        let mut outcome = refuse(given, job.service, String::new());
        outcome.verdict = Verdict::Conflict(Conflict::Version { wanted, now });
        return Err(Box::new(outcome));
    }
    let mut edits = edits.to_vec();
    let given_image = take_image(&mut edits, |_| true);
    let found = edits_for(client, service, edits, document).and_then(|mut settled| {
        let edits = &mut settled.edits;
        // So is the tag of a spec that is brought, unless it is what the service has, or a flag names another.
        let is_new =
            |image: &ImageRef| image.digest().is_none() && Some(&*image.familiar()) != service.image();
        let brought = take_image(edits, |image| given_image.is_some() || is_new(image));
        let asked = given_image.clone().or(brought);
        let image = image_for(client, global, service, asked.as_ref(), edits, args)?;
        edits.extend(image.edits.iter().cloned());
        Ok((settled, image))
    });
    let (settled, image) = match found {
        Ok(found) => found,
        Err(NotMade::Failed(error)) => return Err(Box::new(end(given, job.service, error))),
        Err(NotMade::Refused(why)) => return Err(Box::new(refuse(given, job.service, why))),
    };
    let is_of_container = |edit: &Edit| edit.place.is_within("TaskTemplate.ContainerSpec");
    if service.image().is_none() && settled.edits.iter().any(is_of_container) {
        let refused = refuse(given, job.service, "it runs no container (it has no ContainerSpec)".to_owned());
        return Err(Box::new(refused));
    }
    let ask = Ask { auth: image.auth.clone(), ..args.edit.ask(To::Edited(settled.edits.clone()), 1) };
    match refused_beforehand(client, given, service, &ask, args.resume) {
        Some(refused) => Err(refused),
        None => Ok(job.with((settled, image))),
    }
}

/// Takes the image that the edits set out of them, to be pinned, where it `is_asked` for.
fn take_image(edits: &mut Vec<Edit>, is_asked: impl Fn(&ImageRef) -> bool) -> Option<ImageRef> {
    let place = Place::at("TaskTemplate.ContainerSpec.Image");
    let asked = edits.iter().rev().find(|edit| edit.place == place).and_then(|edit| match &edit.op {
        Op::Set(image) => ImageRef::parse(image.as_str()?).ok().filter(is_asked),
        _ => None,
    });
    edits.retain(|edit| asked.is_none() || edit.place != place);
    asked
}

/// What the image takes: pinned to its digest where one is asked for, else left alone.
fn image_for(
    client: &Client,
    global: &Global,
    service: &Service,
    asked: Option<&ImageRef>,
    others: &[Edit],
    args: &UpdateArgs,
) -> Result<ImageChange> {
    let current = service.image().unwrap_or_default();
    let Some(asked) = asked else { return args.pin.for_unchanged(client, global, current) };
    args.pin.check(asked)?;
    let is_forced = others.iter().any(|edit| edit.op == Op::Increment);
    args.pin.change(client, global, current, asked, is_forced)
}

/// Why the edits of a service cannot be made.
enum NotMade {
    Failed(Error),
    Refused(String),
}

impl<E: Into<Error>> From<E> for NotMade {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The edits as they fit this service, with IDs in the place of names.
fn edits_for(
    client: &Client,
    service: &Service,
    edits: Vec<Edit>,
    document: Option<&Document>,
) -> std::result::Result<Settled, NotMade> {
    let mut all = match document {
        Some(document) => document.as_merged(service.spec())?,
        None => Vec::new(),
    };
    all.extend(spec::update::settle(edits, service.spec())?);
    references::resolve(client, &mut all, Some(service.spec()))?;
    spec::update::check(&all, service.spec())?;
    spec::settle_repeated(all, service.spec()).or_else(|occupied| {
        let why = describe_occupied(client, &occupied)?;
        Err(NotMade::Refused(why))
    })
}

/// Why a network, secret or config is not added to a service that has it with other options.
fn describe_occupied(client: &Client, Occupied { kind, name, item }: &Occupied) -> Result<String> {
    let (what, long) = match kind {
        ReferenceKind::Network => {
            let name = references::network_name(client, name)?;
            let aliases: Vec<_> =
                item["Aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let with = match aliases.as_slice() {
                [] => "without aliases".to_owned(),
                aliases => format!("with the aliases `{}`", aliases.join("`, `")),
            };
            let why = format!("the service is already attached to network `{name}`, {with}");
            let name = shell::word(&name);
            return Ok(format!(
                "{why}, and not with these options; to change them: \
                 `--network-rm {name} --network-add name={name},alias=ALIAS`"
            ));
        }
        ReferenceKind::Secret => ("secret", "source"),
        ReferenceKind::Config => ("config", "source"),
    };
    let file = item["File"]["Name"].as_str().unwrap_or(name);
    let word = shell::word(name);
    Ok(format!(
        "{what} `{name}` is already shown as file `{file}`, and not with these options; to change them: \
         `--{what}-rm {word} --{what}-add {long}={word},target={}`",
        shell::word(file)
    ))
}

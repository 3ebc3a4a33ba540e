//! `tags`: lists the tags of a repository and which of them a policy selects.

mod reference;

use clap::Args;
use serde_json::json;

use self::reference::Reference;
use crate::api::registry::client::{Registries, RequestErrorKind};
use crate::api::registry::tags::{
    Listed, Policy, PolicySource, PreReleases, Rejected, Rules, TagPattern, candidates, list,
};
use crate::cli::app::App;
use crate::cli::app::registries::registry_settings;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::newest::registry_login_hint;
use crate::output::Table;

/// List the tags of a repository and which of them a policy selects
///
/// An argument with `/`, `.` or `:` is a repository; any other argument is a service, and its image is used. If the
/// repository is given without a tag, its tags are listed without a status.
///
/// STATUS is the first of these that applies: `current`, `not a version`, `not matched` (--tags), `other shape` (another
/// prefix, suffix or number of parts), `pre-release`, `older`, `outside policy`, `newest`, `candidate`.
#[derive(Args, Debug)]
pub struct TagsArgs {
    /// A service, or a repository with or without a tag
    #[arg(value_name = "SERVICE|REPOSITORY[:TAG]", add = Completion::SERVICES)]
    subject: String,
    /// Policy: patch, minor, major, a range as in '~1.8', or label (see `update-image`)
    #[arg(long, value_name = "POLICY", default_value = "major", add = Completion::POLICIES, value_parser = PolicySource::parse)]
    newest: PolicySource,
    /// Consider only tags that match (see `update-image`)
    #[arg(long, value_name = "REGEX", value_parser = TagPattern::parse)]
    tags: Option<TagPattern>,
    /// Consider pre-releases
    #[arg(long)]
    pre: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: TagsArgs, app: &App) -> anyhow::Result<Exit> {
    let client = app.client(None)?;
    let reference = Reference::find(&client, &args)?;
    let registries = Registries::new(app.keyring()?, registry_settings());
    let tags = match registries.tags(&client, &reference.image) {
        Ok(tags) => tags,
        Err(error) => {
            let what = format!("cannot list the tags of `{}`", reference.image.familiar_repository());
            let exit = match error.kind {
                RequestErrorKind::NotFound => Exit::NoSuch,
                RequestErrorKind::Interrupted => Exit::for_signal(app.signal()),
                RequestErrorKind::Deadline => Exit::Unreachable,
                _ => Exit::Failed,
            };
            let hint = registry_login_hint(&reference.image, &error);
            app.ui.error(&what, [error.to_string()], hint.as_deref());
            return Ok(exit);
        }
    };
    let any = Policy::parse("major")?;
    let (current, policy) = match &reference.current {
        Some((tag, policy)) => (Some(tag.as_str()), policy),
        None => (None, &any),
    };
    let pre = if args.pre { PreReleases::All } else { PreReleases::SameKind };
    let rules = Rules { policy, pattern: args.tags.as_ref(), pre };
    let all = list(current.unwrap_or_default(), &tags, rules);
    if let Some(tag) = current
        && let Err(rejected) = candidates(tag, &[], rules)
    {
        let why = match rejected {
            Rejected::NotAVersion => "is not a version",
            Rejected::NotMatched => "does not match --tags",
        };
        app.ui.note(&format!("`{tag}` {why}, so no tag is selected"));
    }
    let mut out = app.ui.stdout();
    if args.json {
        let tags = all.iter().map(|it| {
            let status = current.map(|_| it.status.as_str());
            json!({ "tag": it.tag, "version": it.version, "status": status })
        });
        let result = json!({
            "repository": reference.image.repository(),
            "current": current,
            "policy": current.map(|_| policy.to_string()),
            "tags": tags.collect::<Vec<_>>(),
        });
        out.json_object(&result);
    } else {
        out.table(match current {
            Some(_) => with_statuses(&all),
            None => names(&all),
        });
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn with_statuses(all: &[Listed]) -> Table {
    let mut table = Table::new(&["TAG", "STATUS"]);
    all.iter().for_each(|it| table.row([it.tag, it.status.as_str()]));
    table
}

fn names(all: &[Listed]) -> Table {
    let mut table = Table::new(&["TAG"]);
    all.iter().for_each(|it| table.row([it.tag]));
    table
}

//! `tags`: lists the tags of a repository and which of them a policy selects.

use clap::Args;
use serde_json::json;

use crate::api::http::client::Client;
use crate::api::registry::client::{FailureKind, Registries};
use crate::api::registry::image_ref::ImageRef;
use crate::api::registry::tags::{
    LABEL, Listed, Policy, PolicySource, PreReleases, Rules, TagPattern, candidates, list,
};
use crate::api::resources::services;
use crate::cli::app::App;
use crate::cli::app::registries::registry_settings;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::messages::usage::{IMAGE, OrExample as _, UsageError};
use crate::cli::newest::login_hint;
use crate::output::Table;

/// List the tags of a repository and which of them a policy selects
///
/// An argument with `/`, `.` or `:` is a repository; any other is a service, whose image is compared. A repository
/// without a tag is listed without statuses.
///
/// STATUS is the first that applies of: current, not a version, not matched (--tags), other shape, pre-release, older,
/// outside policy, newest, candidate.
#[derive(Args, Debug)]
pub struct TagsArgs {
    /// A service, or a repository with or without a tag
    #[arg(value_name = "SERVICE|REPOSITORY[:TAG]", add = Completion::SERVICES)]
    subject: String,
    /// Policy: patch, minor, major, a range as in '~1.8', or label
    #[arg(long, value_name = "POLICY", default_value = "major", add = Completion::POLICIES, value_parser = PolicySource::parse)]
    newest: PolicySource,
    /// Consider only tags that match; the group `version` is compared
    #[arg(long, value_name = "REGEX", value_parser = TagPattern::parse)]
    tags: Option<TagPattern>,
    /// Consider pre-releases
    #[arg(long)]
    pre: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What the tags are compared with.
struct Reference {
    image: ImageRef,
    /// The tag and the policy, if there is a tag.
    current: Option<(String, Policy)>,
}

/// Runs the command.
pub fn run(args: TagsArgs, app: &App) -> anyhow::Result<Exit> {
    let client = app.client(None)?;
    let reference = args.reference(&client)?;
    let registries = Registries::new(app.keyring()?, registry_settings());
    let tags = match registries.tags(&client, &reference.image) {
        Ok(tags) => tags,
        Err(failure) => {
            let what = format!("cannot list the tags of `{}`", reference.image.familiar_repository());
            let exit = match failure.kind {
                FailureKind::NotFound => Exit::NoSuch,
                FailureKind::Interrupted => Exit::for_signal(app.signal()),
                FailureKind::Deadline => Exit::Unreachable,
                _ => Exit::Failed,
            };
            let hint = login_hint(&reference.image, &failure);
            app.ui.error(&what, [failure.to_string()], hint.as_deref());
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
    if let Some(tag) = current.filter(|tag| candidates(tag, &[], rules).is_err()) {
        app.ui.note(&format!("`{tag}` is not a version that is compared, so no tag is selected"));
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

impl TagsArgs {
    fn reference(&self, client: &Client) -> anyhow::Result<Reference> {
        if self.subject.contains(['/', '.', ':']) {
            let image = ImageRef::parse(&self.subject).or_example(IMAGE)?;
            let name = self.subject.split('@').next().unwrap_or_default();
            let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
            let tag = image.tag().filter(|_| has_tag).map(str::to_owned);
            let current = match (&self.newest, tag) {
                (PolicySource::Label, _) => {
                    let why = "`label` is the policy of a service, and this is a repository";
                    return Err(UsageError::new(why, "swarmctl tags --newest minor shop/web:1.8").into());
                }
                (_, None) => None,
                (PolicySource::Fixed(policy), Some(tag)) => Some((tag, policy.clone())),
            };
            return Ok(Reference { image, current });
        }
        let service = services::find(client, &self.subject)?;
        let image = service.image().unwrap_or_default();
        let image = ImageRef::parse(image).map_err(|_| {
            anyhow::anyhow!("service `{}` has no image of a registry: `{image}`", self.subject)
        })?;
        let policy = match &self.newest {
            PolicySource::Fixed(policy) => policy.clone(),
            PolicySource::Label => {
                let label = service.spec()["Labels"][LABEL].as_str();
                let label = label
                    .ok_or_else(|| anyhow::anyhow!("service `{}` has no label `{LABEL}`", self.subject))?;
                Policy::parse(label).map_err(|_| {
                    let name = &self.subject;
                    anyhow::anyhow!("the label `{LABEL}` of service `{name}` is not a policy: `{label}`")
                })?
            }
        };
        let current = image.tag().map(|tag| (tag.to_owned(), policy));
        Ok(Reference { image, current })
    }
}

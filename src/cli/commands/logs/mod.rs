//! `logs`: prints the logs of services and tasks.

mod assembler;
mod last_lines;
mod lines;
mod prefixes;
mod read;
mod show;
mod since;
mod source;
mod unread;
mod until;

use clap::Args;
use jiff::Timestamp;

use crate::api::error::{Error, Result};
use crate::api::http::date;
use crate::api::resources::logs::LogQuery;
use crate::cli::app::App;
use crate::cli::complete::completion::Completion;
use crate::cli::exit::Exit;
use crate::cli::messages::errors;
use crate::cli::messages::usage::UsageError;
use crate::cli::select::SelectArgs;
use assembler::Timestamps;
use prefixes::{PrefixArgs, Prefixes};
use read::{Completeness, LogOptions};
use show::{MAX_FOLLOWED, show};
use since::TimeArg;
use until::EndTime;

/// Fetch the logs of services or tasks
///
/// The stdout of tasks is printed to stdout, their stderr to stderr, each line with its task and node. If the engine
/// cannot read a part of the logs, for example from a node that is down, the rest is printed and the exit code is 1.
#[derive(Args, Debug)]
// -f is --follow, as in docker.
#[command(mut_arg("filter", |filter| filter.short(None)))]
pub struct LogsArgs {
    /// Services or tasks: names of services, IDs, or the first 6 or more characters of IDs
    #[arg(value_name = "SERVICE|TASK", add = Completion::SERVICES)]
    of: Vec<String>,
    #[command(flatten)]
    select: SelectArgs,
    /// Follow log output
    #[arg(short, long)]
    follow: bool,
    /// Show logs since a time, as in 42m (ago) or 2026-01-02T13:23:37Z
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    since: Option<TimeArg>,
    /// Show logs before a time, in the same formats as --since
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    until: Option<TimeArg>,
    /// Number of lines to show from the end of each task's log [default: all]
    #[arg(short = 'n', long, value_name = "LINES", value_parser = parse_tail)]
    tail: Option<Tail>,
    /// Show timestamps
    #[arg(short, long)]
    timestamps: bool,
    /// Do not format log lines
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    prefix: PrefixArgs,
}

/// Runs the command.
pub fn run(args: LogsArgs, app: &App) -> anyhow::Result<Exit> {
    args.select.check(&args.of, "swarmctl logs web")?;
    let client = app.client(None)?;
    let (sources, missing) = if args.select.is_given() {
        (source::selected(app.ui, &client, &args.select)?, Vec::new())
    } else {
        source::find(&client, &args.of)?
    };
    let most = client.max_streams().unwrap_or(MAX_FOLLOWED);
    if args.follow && sources.len() > most {
        let by = if most < MAX_FOLLOWED { " by ssh" } else { "" };
        let why = format!(
            "{} services are too many to follow at the same time{by}: the maximum is {most}",
            sources.len()
        );
        return Err(UsageError::new(why, "swarmctl logs -f --stack shop").into());
    }
    for (given, error) in &missing {
        errors::print_error(app.ui, &format!("cannot read the log of `{given}`"), error);
    }
    let now = client.first_date().and_then(date::parse_http_date).unwrap_or_else(Timestamp::now);
    let mut query = LogQuery {
        follow: args.follow,
        since: args.since.as_ref().map(|since| since.at(now)),
        tail: args.tail.and_then(|Tail(tail)| tail),
        timestamps: args.timestamps,
        details: args.prefix.details || !args.raw,
        ..LogQuery::default()
    };
    let until = args.until.as_ref().map(|end| EndTime::new(end, now, &mut query));
    let prefixes = if args.raw || sources.is_empty() {
        None
    } else {
        Some(Prefixes::new(app.ui, &client, &sources, args.prefix)?)
    };
    let mut streams = app.ui.streams();
    let timestamps = if args.timestamps { Timestamps::Shown } else { Timestamps::Hidden };
    let options = LogOptions { ui: app.ui, query, until, prefixes: prefixes.as_ref(), timestamps };
    let ends = show(&client, &sources, &options, &mut streams);
    let is_over = streams.is_over();
    streams.finish()?;
    if is_over {
        // The reader closed the pipe before the end of the logs. This is not an error.
        return Ok(Exit::Done);
    }
    let mut exits: Vec<Exit> =
        missing.iter().map(|(_, error)| Exit::for_error(error, app.signal())).collect();
    for (source, end) in sources.iter().zip(ends) {
        exits.push(match end {
            Ok(Completeness::Whole) => Exit::Done,
            Ok(Completeness::Incomplete) => Exit::Failed,
            Err(Error::Interrupted) => Exit::for_signal(app.signal()),
            Err(error) => {
                errors::print_error(
                    app.ui,
                    &format!("cannot read the rest of the log of {}", source.description()),
                    &error,
                );
                Exit::for_error(&error, app.signal())
            }
        });
    }
    Ok(Exit::most_severe(exits))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tail(Option<u64>);

fn parse_tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" => Ok(Tail(None)),
        text => match text.parse() {
            Ok(lines) => Ok(Tail(Some(lines))),
            Err(_) => Err(format!("`{text}` is neither a number of lines nor `all`")),
        },
    }
}

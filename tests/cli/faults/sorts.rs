//! What goes wrong: every fault of each sort, or a sample of them.

use super::cases::Case;
use super::trial::undisturbed;
use crate::support::faults::{FaultKind, InjectedFault, Malformation, RequestFault, ResponseFault};
use crate::support::server::{Framing, Listener, Request};

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// An answer breaks off, later connections work.
    Cut,
    /// An answer breaks off, and all later connections are closed, or refused.
    CutForGood,
    /// From some byte of an answer on there is nothing but garbage; once, and for good.
    Garbage,
    /// An answer is none of an engine's, in all the ways of [`Malformation`]; once, and for good.
    Kinds,
    /// A request is not sent, is cut in the middle, or gets lost; then later connections work, or do not.
    Requests,
    /// An answer stalls until `--timeout` ends it.
    Stall,
    /// An answer stalls, and there is no `--timeout`.
    LongStall,
}

/// One fault, and how the command is run that meets it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub broken: InjectedFault,
    pub framing: Framing,
    pub json: bool,
    pub timeout: Option<&'static str>,
    /// It goes wrong once, so the command has to end as if it had not.
    pub is_once: bool,
}

/// Whether every byte is taken, not a sample.
pub fn is_whole() -> bool {
    step() == Some(1)
}

/// Whether it is a part of the tests, and short.
pub fn is_sample() -> bool {
    step().is_none()
}

/// Bytes from one break to the next, where the environment names them.
fn step() -> Option<usize> {
    let text = std::env::var_os("SWARMCTL_TEST_FAULT_STEP")?;
    Some(text.to_str().and_then(|text| text.parse().ok()).expect("a number of bytes"))
}

impl Sort {
    pub fn words(self) -> &'static str {
        match self {
            Self::Cut => "responses cut off, once",
            Self::CutForGood => "responses cut off, permanently",
            Self::Garbage => "garbage in responses",
            Self::Kinds => "responses that are not an engine's",
            Self::Requests => "requests cut off or lost",
            Self::Stall => "responses that stall, with --timeout",
            Self::LongStall => "responses that stall for 60 s",
        }
    }

    /// How many there are of each command in a sample.
    fn sample(self) -> usize {
        match self {
            Self::Cut => 42,
            Self::CutForGood => 30,
            Self::Garbage => 20,
            Self::Kinds => 44,
            Self::Requests => 30,
            Self::Stall => 10,
            Self::LongStall => 0,
        }
    }

    /// How many bytes are between two breaks, where every byte is asked for: only what is cut off once is cut off after each,
    /// all the others together are as many again.
    pub fn bytes(self) -> usize {
        match self {
            // Each kind comes at each answer, wherever a byte is.
            Self::Kinds => 0,
            Self::Cut => 1,
            Self::CutForGood => 5,
            Self::Garbage | Self::Requests | Self::Stall => 10,
            Self::LongStall => 1000,
        }
    }
}

/// What is tried with a command.
pub fn plans(case: &Case, sort: Sort) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for framing in [Framing::Length, Framing::Chunked] {
        // Chunks have a few words of their own, and little else.
        if framing == Framing::Chunked && sort != Sort::Cut {
            continue;
        }
        let requests = undisturbed(case, &framing);
        let bytes: usize = requests.iter().map(|request| request.answer_length).sum();
        assert!(bytes > 1000, "{}: the engine has said so little? {bytes} bytes", case.name);
        let each = step().map_or(1, |step| step * sort.bytes());
        for request in &requests {
            let each = if framing == Framing::Chunked && step().is_some() { each * 16 } else { each };
            let breaks = breaks(sort, request, each);
            plans.extend(breaks.into_iter().map(|(broken, is_once)| Plan {
                framing: framing.clone(),
                json: false,
                timeout: (sort == Sort::Stall).then_some("700ms"),
                is_once,
                broken,
            }));
        }
    }
    let mut plans = match step() {
        None => thin(plans, sort.sample()),
        Some(_) => plans,
    };
    for (i, plan) in plans.iter_mut().enumerate() {
        // Half of them, in no step with anything else that has its turns.
        plan.json = i.count_ones() % 2 == 1;
    }
    plans
}

/// At most this number of them, evenly spread.
fn thin(plans: Vec<Plan>, most: usize) -> Vec<Plan> {
    let of = plans.len();
    let is_chosen = |i: usize| (i * most) / of != ((i + 1) * most) / of;
    plans.into_iter().enumerate().filter(|(i, _)| most >= of || is_chosen(*i)).map(|(_, plan)| plan).collect()
}

/// The faults of a sort at one request; whether each goes wrong once only.
fn breaks(sort: Sort, request: &Request, each: usize) -> Vec<(InjectedFault, bool)> {
    let number = request.number;
    let at_answer = |fault: fn(usize) -> ResponseFault| {
        (0..request.answer_length).step_by(each).map(move |after| InjectedFault::by(number, fault(after)))
    };
    // Which of the two ways in which nothing works any more makes no difference to most; each has its turn.
    let for_good = |(i, it): (usize, InjectedFault)| {
        (it.then(if i % 2 == 0 { Listener::Closing } else { Listener::Refusing }), false)
    };
    match sort {
        Sort::Cut => at_answer(ResponseFault::Cut).map(|it| (it, true)).collect(),
        Sort::CutForGood => at_answer(ResponseFault::Cut).enumerate().map(for_good).collect(),
        Sort::Garbage => at_answer(ResponseFault::Garble)
            .enumerate()
            .map(|(i, it)| if i % 2 == 0 { (it, true) } else { (it.permanently(), false) })
            .collect(),
        Sort::Stall => at_answer(ResponseFault::Stall).map(|it| (it, false)).collect(),
        Sort::LongStall => at_answer(ResponseFault::Stall).map(|it| (it, request.method != "GET")).collect(),
        Sort::Kinds => Malformation::ALL
            .into_iter()
            .flat_map(|kind| {
                let it = InjectedFault::new(number, FaultKind::Malformed(kind));
                let lost = (!kind.looks_like_success()).then(|| it.clone().unhandled());
                [Some((it.clone(), true)), Some((it.permanently(), kind.is_allowed()))]
                    .into_iter()
                    .chain([lost.clone().map(|it| (it, true)), lost.map(|it| (it.permanently(), false))])
                    .flatten()
            })
            .collect(),
        Sort::Requests => {
            let torn =
                (1..request.length).step_by(each).map(RequestFault::After).chain([RequestFault::Unsent]);
            torn.map(|tear| InjectedFault::new(number, FaultKind::Request(tear)).unhandled())
                .chain([InjectedFault::lost(number).unhandled()])
                .enumerate()
                .flat_map(|(i, it)| [(it.clone(), true), for_good((i, it))])
                .collect()
        }
    }
}

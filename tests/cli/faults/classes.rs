//! The faults of each class: a sample, or at every Nth byte.

use super::cases::Case;
use super::trial::undisturbed;
use crate::support::faults::{FaultKind, InjectedFault, Malformation, RequestFault, ResponseFault};
use crate::support::server::{Framing, Listener, Request};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultClass {
    /// A response is cut off, and later connections work.
    Cut,
    /// A response is cut off, and all later connections are closed or refused.
    CutForGood,
    /// From some byte on, a response consists of garbage; once, or permanently.
    Garbage,
    /// A response is malformed in each way of [`Malformation`]; once, or permanently.
    Kinds,
    /// A request is not sent, is cut off, or is lost. Later connections work, or fail permanently.
    Requests,
    /// A response stalls until `--timeout` expires.
    Stall,
    /// A response stalls, without `--timeout`.
    LongStall,
}

/// One fault, and the flags of the command during which it occurs.
#[derive(Clone, Debug)]
pub struct Plan {
    pub broken: InjectedFault,
    pub framing: Framing,
    pub json: bool,
    pub timeout: Option<&'static str>,
    /// Whether the command must end as if nothing had happened, usually because the fault occurs only once.
    pub is_once: bool,
}

/// Whether all faults are tried, at the shortest distance between two of them, and not only a sample.
pub fn is_whole() -> bool {
    step() == Some(1)
}

/// Whether the faults are a sample, as in the test suite.
pub fn is_sample() -> bool {
    step().is_none()
}

/// The factor for [`FaultClass::bytes`], if the environment sets it. Without it, the faults are a sample.
fn step() -> Option<usize> {
    let text = std::env::var_os("SWARMCTL_TEST_FAULT_STEP")?;
    Some(text.to_str().and_then(|text| text.parse().ok()).expect("a number of bytes"))
}

impl FaultClass {
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

    /// The number of faults of each command in a sample. A fault takes 27 ms of processor time.
    fn sample(self) -> usize {
        match self {
            Self::Cut => 28,
            Self::CutForGood => 20,
            Self::Garbage => 14,
            Self::Kinds => 30,
            Self::Requests => 20,
            Self::Stall => 8,
            Self::LongStall => 0,
        }
    }

    /// The shortest distance in bytes between two faults. It is 1 only for responses that are cut off once; all other
    /// classes together have about half as many faults as that one.
    pub fn bytes(self) -> usize {
        match self {
            // These faults do not occur at a certain byte: each kind is applied to each response.
            Self::Kinds => 0,
            Self::Cut => 1,
            Self::CutForGood => 5,
            Self::Garbage | Self::Requests | Self::Stall => 10,
            Self::LongStall => 1000,
        }
    }
}

/// The faults for a command.
pub fn plans(case: &Case, class: FaultClass) -> Vec<Plan> {
    let mut plans: Vec<Plan> = Vec::new();
    for framing in [Framing::Length, Framing::Chunked] {
        // Only a few bytes of a chunked response differ from those of a response with a length, so one class of fault is
        // enough for it.
        if framing == Framing::Chunked && class != FaultClass::Cut {
            continue;
        }
        let requests = undisturbed(case, &framing);
        let bytes: usize = requests.iter().map(|request| request.answer_length).sum();
        assert!(bytes > 1000, "{}: the engine has said so little? {bytes} bytes", case.name);
        let each = step().map_or(1, |step| step * class.bytes());
        for request in &requests {
            let each = if framing == Framing::Chunked && step().is_some() { each * 16 } else { each };
            let breaks = breaks(class, request, each);
            plans.extend(breaks.into_iter().map(|(broken, is_once)| Plan {
                framing: framing.clone(),
                json: false,
                timeout: (class == FaultClass::Stall).then_some("700ms"),
                is_once,
                broken,
            }));
        }
    }
    let mut plans = match step() {
        None => thin(plans, class.sample().div_ceil(case.sample_divisor)),
        Some(_) => plans,
    };
    for (i, plan) in plans.iter_mut().enumerate() {
        // Half of the commands print JSON. It is not every second one, because other properties of the faults alternate
        // too, and all combinations must occur.
        plan.json = i.count_ones() % 2 == 1;
    }
    plans
}

/// Leaves at most `most` plans, evenly spread.
fn thin(plans: Vec<Plan>, most: usize) -> Vec<Plan> {
    let of = plans.len();
    let is_chosen = |i: usize| (i * most) / of != ((i + 1) * most) / of;
    plans.into_iter().enumerate().filter(|(i, _)| most >= of || is_chosen(*i)).map(|(_, plan)| plan).collect()
}

/// The faults of a class at one request, each with its value of [`Plan::is_once`].
fn breaks(class: FaultClass, request: &Request, each: usize) -> Vec<(InjectedFault, bool)> {
    let number = request.number;
    let at_answer = |fault: fn(usize) -> ResponseFault| {
        (0..request.answer_length).step_by(each).map(move |after| InjectedFault::by(number, fault(after)))
    };
    // Closed and refused connections have the same effect after most faults, so they alternate.
    let for_good = |(i, it): (usize, InjectedFault)| {
        (it.then(if i % 2 == 0 { Listener::Closing } else { Listener::Refusing }), false)
    };
    match class {
        FaultClass::Cut => at_answer(ResponseFault::Cut).map(|it| (it, true)).collect(),
        FaultClass::CutForGood => at_answer(ResponseFault::Cut).enumerate().map(for_good).collect(),
        FaultClass::Garbage => at_answer(ResponseFault::Garble)
            .enumerate()
            .map(|(i, it)| if i % 2 == 0 { (it, true) } else { (it.permanently(), false) })
            .collect(),
        FaultClass::Stall => at_answer(ResponseFault::Stall).map(|it| (it, false)).collect(),
        FaultClass::LongStall => {
            at_answer(ResponseFault::Stall).map(|it| (it, request.method != "GET")).collect()
        }
        FaultClass::Kinds => Malformation::ALL
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
        FaultClass::Requests => {
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

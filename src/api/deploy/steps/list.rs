//! The list of steps: the maximum number of tasks that run the new spec after each of them.

use std::fmt;
use std::str::FromStr;

/// The maximum number of steps that a user can give.
pub const MAX_STEPS: usize = 20;

/// The maximum number of steps in a label. A user who continues with other steps makes the list longer each time.
const MAX_RECORDED_STEPS: usize = 100;

/// A step: the maximum number of tasks that run the new spec after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This number of tasks, at least 1.
    Count(u64),
    /// This percentage of the tasks, from 1 to 100.
    Percent(u8),
}

/// Steps, the last of which is 100%. Those that a user gives do not decrease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepList(Vec<Step>);

/// Why a text is not a list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidSteps {
    /// It has no steps.
    Empty,
    /// It has more than [`MAX_STEPS`] steps.
    TooMany,
    /// This is neither a count nor a percentage.
    NotAStep(String),
    /// The step is 0.
    Zero(String),
    /// The percentage is above 100.
    Above100(String),
    /// The second step is smaller than the first one.
    Decreasing(Step, Step),
}

/// What comes after a completed step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Another step.
    Step {
        /// The numbers of the steps before it that are skipped, because enough tasks run the new spec already.
        skipped: Vec<usize>,
        /// Its number, counted from 1.
        number: usize,
        /// The maximum number of tasks that run the new spec after it.
        target: u64,
    },
    /// No step is left that replaces a task.
    Done {
        /// The numbers of the steps that are skipped.
        skipped: Vec<usize>,
    },
}

impl Step {
    /// Parses a count such as `3`, or a percentage such as `25%`.
    ///
    /// # Errors
    /// It is neither, or out of range.
    pub fn parse(text: &str) -> Result<Self, InvalidSteps> {
        let not_a_step = || InvalidSteps::NotAStep(text.to_owned());
        let (digits, is_percentage) = text.strip_suffix('%').map_or((text, false), |digits| (digits, true));
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(not_a_step());
        }
        if digits.bytes().all(|b| b == b'0') {
            return Err(InvalidSteps::Zero(text.to_owned()));
        }
        if !is_percentage {
            return digits.parse().map(Self::Count).map_err(|_| not_a_step());
        }
        match digits.trim_start_matches('0').parse() {
            Ok(percentage @ ..=100) => Ok(Self::Percent(percentage)),
            _ => Err(InvalidSteps::Above100(text.to_owned())),
        }
    }

    /// The maximum number of tasks, out of `of`, that run the new spec after the step: rounded up, at least 1.
    pub fn target(self, of: u64) -> u64 {
        let target = match self {
            Self::Count(count) => count.min(of),
            Self::Percent(percentage) => {
                let target = (u128::from(of) * u128::from(percentage)).div_ceil(100);
                u64::try_from(target).unwrap_or(of)
            }
        };
        target.max(1)
    }
}

impl StepList {
    /// Parses a list of counts and percentages, separated by commas. `100%` is added if it is missing.
    ///
    /// # Errors
    /// A step is invalid, there are too many, or they decrease.
    pub fn parse(text: &str) -> Result<Self, InvalidSteps> {
        if text.trim().is_empty() {
            return Err(InvalidSteps::Empty);
        }
        let steps: Vec<Step> =
            text.split(',').map(|step| Step::parse(step.trim())).collect::<Result<_, _>>()?;
        if steps.len() > MAX_STEPS {
            return Err(InvalidSteps::TooMany);
        }
        Self::new(steps)
    }

    /// The steps in order, and `100%` if it is missing.
    ///
    /// # Errors
    /// They decrease, or there are none.
    pub fn new(mut steps: Vec<Step>) -> Result<Self, InvalidSteps> {
        // Counts and percentages can only be compared for a known number of tasks.
        let (mut counts, mut percentages) = (Vec::new(), Vec::new());
        for step in &steps {
            let (before, number) = match step {
                Step::Count(number) => (&mut counts, *number),
                Step::Percent(number) => (&mut percentages, u64::from(*number)),
            };
            match before.last() {
                Some((larger, last)) if *last > number => {
                    return Err(InvalidSteps::Decreasing(*larger, *step));
                }
                _ => before.push((*step, number)),
            }
        }
        if steps.is_empty() {
            return Err(InvalidSteps::Empty);
        }
        if steps.last() != Some(&Step::Percent(100)) {
            steps.push(Step::Percent(100));
        }
        Ok(Self(steps))
    }

    /// This step, after which the update holds, and then 100% (if this step is not 100% itself).
    pub fn hold(step: Step) -> Self {
        match step {
            Step::Percent(100) => Self(vec![step]),
            step => Self(vec![step, Step::Percent(100)]),
        }
    }

    /// Wraps the steps of a label. They may decrease if a user has continued with other steps ([`Self::with_rest`]).
    pub(super) fn from_recorded(steps: Vec<Step>) -> Option<Self> {
        (steps.last() == Some(&Step::Percent(100)) && steps.len() <= MAX_RECORDED_STEPS)
            .then_some(Self(steps))
    }

    /// The first `completed` steps, followed by all steps of another list.
    #[must_use]
    pub fn with_rest(&self, completed: usize, rest: &Self) -> Self {
        Self(self.0.iter().take(completed).chain(&rest.0).copied().collect())
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The number of steps.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The steps as texts.
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(Step::to_string).collect()
    }

    /// The maximum number of tasks, out of `of`, that run the new spec after the step with this number: all, if there is
    /// no such step.
    pub fn target(&self, number: usize, of: u64) -> u64 {
        let step = number.checked_sub(1).and_then(|at| self.0.get(at));
        step.map_or(of, |step| step.target(of))
    }

    /// What comes after `completed` steps if `new` of `of` tasks run the new spec. Steps that allow no more are skipped.
    pub fn next(&self, completed: usize, new: u64, of: u64) -> NextStep {
        let mut skipped = Vec::new();
        // After a scale-down, fewer tasks can run the new spec than the completed step allowed. The next step must still allow
        // more tasks than the completed one.
        let done = if completed == 0 { new } else { new.max(self.target(completed, of)) };
        for number in completed + 1..=self.count() {
            let target = self.target(number, of);
            if target > done {
                return NextStep::Step { skipped, number, target };
            }
            skipped.push(number);
        }
        NextStep::Done { skipped }
    }
}

impl FromStr for StepList {
    type Err = InvalidSteps;

    fn from_str(text: &str) -> Result<Self, InvalidSteps> {
        Self::parse(text)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percentage) => write!(f, "{percentage}%"),
        }
    }
}

impl fmt::Display for StepList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_texts().join(","))
    }
}

impl fmt::Display for InvalidSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the list has no steps"),
            Self::TooMany => write!(f, "the list has more than {MAX_STEPS} steps"),
            Self::NotAStep(text) => {
                write!(f, "`{text}` is neither a number of tasks nor a percentage")
            }
            Self::Zero(text) => write!(f, "`{text}`: a step must replace at least one task"),
            Self::Above100(text) => write!(f, "`{text}` is above 100%"),
            Self::Decreasing(first, second) => write!(f, "`{second}` is smaller than `{first}` before it"),
        }
    }
}

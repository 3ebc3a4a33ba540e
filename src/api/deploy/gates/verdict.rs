//! The verdict on a gate, from the results of its runs. Pure.

/// The number of errors in a row after which a gate is inconclusive.
pub const MAX_ERRORS_IN_A_ROW: u32 = 5;

/// The result of one run of a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateRunResult {
    /// The check succeeded.
    Success,
    /// The check failed, for this reason.
    Failure(String),
    /// The check could not be made, for this reason. The run is repeated.
    Error(String),
}

/// How many runs a gate makes, and how many of them may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateRules {
    /// The number of runs.
    pub count: u32,
    /// The maximum number of failed runs.
    pub max_failures: u32,
}

/// The verdict on a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The gate made all of its runs, and not too many of them failed.
    Passed,
    /// Too many runs failed.
    Failed,
    /// Too many runs in a row ended with an error, so that nothing is known about the service.
    Inconclusive,
}

impl Verdict {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Counts the results of the runs of a gate so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of runs that succeeded or failed.
    pub runs: u32,
    /// The number of runs that failed.
    pub failures: u32,
    /// The number of runs that ended with an error.
    pub errors: u32,
    /// The number of errors since the last run that succeeded or failed.
    pub errors_in_a_row: u32,
}

impl Tally {
    /// Counts the result of a run. Returns the verdict; `None` if another run is needed.
    pub fn record(&mut self, result: &GateRunResult, rules: GateRules) -> Option<Verdict> {
        if let GateRunResult::Error(_) = result {
            self.errors += 1;
            self.errors_in_a_row += 1;
            return (self.errors_in_a_row >= MAX_ERRORS_IN_A_ROW).then_some(Verdict::Inconclusive);
        }
        self.errors_in_a_row = 0;
        self.runs += 1;
        self.failures += u32::from(*result != GateRunResult::Success);
        if self.failures > rules.max_failures {
            Some(Verdict::Failed)
        } else {
            (self.runs >= rules.count).then_some(Verdict::Passed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict after runs with these results (`+` success, `-` failure, `?` error), and the number of runs that it
    /// took.
    fn judge(runs: &str, count: u32, max_failures: u32) -> (Option<Verdict>, usize) {
        let mut tally = Tally::default();
        for (at, run) in runs.chars().enumerate() {
            let result = match run {
                '+' => GateRunResult::Success,
                '-' => GateRunResult::Failure("exit status 1".to_owned()),
                _ => GateRunResult::Error("exit status 75".to_owned()),
            };
            if let Some(verdict) = tally.record(&result, GateRules { count, max_failures }) {
                return (Some(verdict), at + 1);
            }
        }
        (None, runs.len())
    }

    #[test]
    fn a_gate_passes_fails_or_is_inconclusive_by_its_runs() {
        for (runs, count, max_failures, verdict, after) in [
            ("+", 1, 0, Some(Verdict::Passed), 1),
            ("-", 1, 0, Some(Verdict::Failed), 1),
            ("++", 3, 0, None, 2),
            ("+++", 3, 0, Some(Verdict::Passed), 3),
            ("+-+", 3, 0, Some(Verdict::Failed), 2),
            ("+-+", 3, 1, Some(Verdict::Passed), 3),
            ("--", 3, 1, Some(Verdict::Failed), 2),
            ("-", 1, 1, Some(Verdict::Passed), 1),
            ("?+", 1, 0, Some(Verdict::Passed), 2),
            ("????", 1, 0, None, 4),
            ("?????", 1, 0, Some(Verdict::Inconclusive), 5),
            ("????+", 1, 0, Some(Verdict::Passed), 5),
            ("????-", 1, 0, Some(Verdict::Failed), 5),
            ("????+????+", 2, 0, Some(Verdict::Passed), 10),
            ("+?????", 2, 0, Some(Verdict::Inconclusive), 6),
            ("-?????", 2, 1, Some(Verdict::Inconclusive), 6),
        ] {
            assert_eq!(judge(runs, count, max_failures), (verdict, after), "{runs} of {count}");
        }
    }

    #[test]
    fn errors_are_not_counted_as_runs() {
        let mut tally = Tally::default();
        let rules = GateRules { count: 9, max_failures: 9 };
        for result in [
            GateRunResult::Error(String::new()),
            GateRunResult::Failure(String::new()),
            GateRunResult::Error(String::new()),
            GateRunResult::Success,
        ] {
            assert_eq!(tally.record(&result, rules), None);
        }
        assert_eq!(tally, Tally { runs: 2, failures: 1, errors: 2, errors_in_a_row: 0 });
    }
}

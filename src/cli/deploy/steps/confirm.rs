//! `--confirm`: asks on the terminal before each further step, for one service at a time.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, Write as _};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use crate::output::visible;

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Take the next step.
    Continue,
    /// Leave the service held.
    Hold,
    /// Roll the service back.
    RollBack,
}

/// The questions of a batch.
#[derive(Debug, Default)]
pub struct Questions {
    /// The keys of services, and the questions that have not been asked yet.
    waiting: VecDeque<(usize, String)>,
    /// The key of the service that the current question is about, and the channel for the answer.
    asked: Option<(usize, Receiver<Answer>)>,
}

impl Questions {
    /// Adds a question, unless one about the same service waits for its answer.
    pub fn add(&mut self, key: usize, question: String) {
        if self.asked.as_ref().is_none_or(|(asked, _)| *asked != key) {
            self.waiting.push_back((key, question));
        }
    }

    /// Whether a question has no answer yet, or has not been asked yet.
    pub fn is_asking(&self) -> bool {
        self.asked.is_some() || !self.waiting.is_empty()
    }

    /// Withdraws the question about a service, unless it has been asked already.
    pub fn withdraw(&mut self, key: usize) {
        self.waiting.retain(|(other, _)| *other != key);
    }

    /// Returns an answer if there is one. Otherwise asks the next question, unless the last one has no answer yet.
    pub fn poll(&mut self) -> Option<(usize, Answer)> {
        let answered = match &self.asked {
            None => None,
            Some((key, answer)) => match answer.try_recv() {
                Ok(answer) => Some((*key, answer)),
                Err(mpsc::TryRecvError::Empty) => return None,
                // The thread has ended without an answer.
                Err(mpsc::TryRecvError::Disconnected) => Some((*key, Answer::Hold)),
            },
        };
        self.asked = None;
        if answered.is_none()
            && let Some((key, question)) = self.waiting.pop_front()
        {
            self.asked = Some((key, ask(question)));
        }
        answered
    }
}

/// Asks in a thread until there is an answer. If there is none, the thread waits until the program exits.
fn ask(question: String) -> Receiver<Answer> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        loop {
            let mut stderr = io::stderr();
            // If the question cannot be printed, there will be no answer either.
            let _ = write!(stderr, "{} ", visible(&question)).and_then(|()| stderr.flush());
            let mut line = String::new();
            let answer = match io::stdin().lock().read_line(&mut line) {
                Ok(0) | Err(_) => Some(Answer::Hold),
                Ok(_) => parse(&line),
            };
            if let Some(answer) = answer {
                // The batch may have ended, so that nobody receives the answer.
                let _ = sender.send(answer);
                return;
            }
        }
    });
    receiver
}

fn parse(line: &str) -> Option<Answer> {
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Some(Answer::Continue),
        "n" | "no" => Some(Answer::Hold),
        "r" | "roll back" => Some(Answer::RollBack),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_one_question_at_a_time() {
        let (_sender, receiver) = mpsc::channel();
        let mut questions = Questions { asked: Some((1, receiver)), ..Questions::default() };
        questions.add(1, "continue web?".to_owned());
        questions.add(2, "continue db?".to_owned());
        assert_eq!(questions.waiting, [(2, "continue db?".to_owned())]);
    }

    #[test]
    fn only_clear_answers_count() {
        for (line, answer) in [
            ("y\n", Some(Answer::Continue)),
            (" Yes \n", Some(Answer::Continue)),
            ("n\n", Some(Answer::Hold)),
            ("R\n", Some(Answer::RollBack)),
            ("\n", None),
            ("maybe\n", None),
        ] {
            assert_eq!(parse(line), answer, "{line:?}");
        }
    }
}

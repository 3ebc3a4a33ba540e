//! `--debug`: prints each request and its result on stderr.

use crate::api::http::observer::{Exchange, Observer};
use crate::output::Ui;

/// An observer that prints each request.
pub fn observer(ui: Ui) -> Observer {
    Observer::new(move |exchange| ui.debug(&line(exchange)))
}

fn line(Exchange { request, hidden, ending, took }: &Exchange) -> String {
    let hidden: String = hidden.iter().map(|name| format!(" [{name}: hidden]")).collect();
    let ending = match ending {
        Ok(status) => status.to_string(),
        Err(error) => format!("no response: {error}"),
    };
    format!("{request}{hidden} -> {ending} ({:.1} ms)", took.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_has_the_request_the_status_and_the_time() {
        let exchange = |hidden| Exchange {
            request: "GET /v1.41/services?status=true",
            hidden,
            ending: Ok(200),
            took: Duration::from_micros(1530),
        };
        assert_eq!(line(&exchange(&[])), "GET /v1.41/services?status=true -> 200 (1.5 ms)");
        assert!(line(&exchange(&["X-Registry-Auth"])).contains("[X-Registry-Auth: hidden] -> 200"));
    }
}

//! The scripted engine, which expects certain requests and sends the given responses.
//!
//! A test fails, and names the request, if a request is sent that is not in the script, or if one of the script is
//! never sent. `/_ping` is answered by default, and so is a list of all nodes if the script has a POST: commands that
//! send specs compare them with the nodes. More than one such list for each command fails the test.

use std::ops::{Deref, RangeInclusive};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::server::{Answer, Handler, Request, Server, lock, normal_filters, parse_query};

/// An expected request and its response.
pub struct Expect {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    body: Option<BodyCheck>,
    answer: Answer,
    times: RangeInclusive<usize>,
    used: usize,
}

type BodyCheck = Box<dyn Fn(&Request) -> Result<(), String> + Send>;

/// Expects a GET of this path. The order of query parameters does not matter.
pub fn get(target: &str) -> Expect {
    Expect::new("GET", target)
}

/// Expects a POST to this path. The order of query parameters does not matter.
pub fn post(target: &str) -> Expect {
    Expect::new("POST", target)
}

/// Expects a DELETE of this path.
pub fn delete(target: &str) -> Expect {
    Expect::new("DELETE", target)
}

impl Expect {
    fn new(method: &'static str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            query: normal_query(&parse_query(query)),
            body: None,
            answer: Answer::json(200, "{}"),
            times: 1..=1,
            used: 0,
        }
    }

    /// Sets the response.
    pub fn answers(mut self, answer: Answer) -> Self {
        self.answer = answer;
        self
    }

    /// Checks the body. If `check` returns an error, the test fails with that message.
    pub fn body(mut self, check: impl Fn(&Request) -> Result<(), String> + Send + 'static) -> Self {
        self.body = Some(Box::new(check));
        self
    }

    /// Requires this body, byte for byte.
    pub fn body_is(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.body(move |request| same_text(&text, request.text()))
    }

    /// Sets how often the request must be sent at least, and may be sent at most.
    pub fn times(mut self, times: RangeInclusive<usize>) -> Self {
        self.times = times;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.method == request.method
            && self.path == request.path
            && self.query == normal_query(&request.query)
    }

    fn line(&self) -> String {
        let query: Vec<String> = self.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, query.join("&"))
    }
}

/// Requires that two texts are equal. The error shows where they differ.
pub fn same_text(wanted: &str, got: &str) -> Result<(), String> {
    if wanted == got {
        return Ok(());
    }
    let at = wanted.bytes().zip(got.bytes()).take_while(|(a, b)| a == b).count();
    let from = at.saturating_sub(40);
    let part = |text: &str| {
        let end = text.len().min(at + 60);
        String::from_utf8_lossy(&text.as_bytes()[from.min(end)..end]).into_owned()
    };
    Err(format!("from byte {at} on\n      wanted ...{}\n      got    ...{}", part(wanted), part(got)))
}

/// Normalizes a query: sorted, and without parameters that have no effect.
fn normal_query(query: &[(String, String)]) -> Vec<(String, String)> {
    let mut query: Vec<_> = query
        .iter()
        .map(|(key, value)| {
            let filters = if key == "filters" { normal_filters(value) } else { None };
            (key.clone(), filters.as_ref().map_or_else(|| value.clone(), Value::to_string))
        })
        .filter(|(key, value)| {
            !matches!(
                (key.as_str(), value.as_str()),
                ("registryAuthFrom", "spec") | ("rollback", "none") | ("filters", "{}")
            )
        })
        .collect();
    query.sort();
    query
}

/// A running scripted engine. When it is dropped, it checks that the script was followed.
pub struct Engine {
    server: Server,
    script: Arc<Mutex<Script>>,
}

struct Script {
    ordered: bool,
    ping: Answer,
    pings: usize,
    /// How often the nodes were listed although the script has no such request.
    lists_of_nodes: usize,
    expected: Vec<Expect>,
    problems: Vec<String>,
}

impl Engine {
    /// Starts an engine that expects the requests in this order.
    pub fn ordered(expected: impl IntoIterator<Item = Expect>) -> Self {
        Self::start(true, Answer::pong(), expected)
    }

    /// Starts an engine that expects the requests in any order. If several of them match, the first one is used first.
    pub fn unordered(expected: impl IntoIterator<Item = Expect>) -> Self {
        Self::start(false, Answer::pong(), expected)
    }

    /// Starts an engine that expects no request except `/_ping`.
    pub fn silent() -> Self {
        Self::ordered([])
    }

    /// Starts an engine with this response to `/_ping`.
    pub fn with_ping(ping: Answer, expected: impl IntoIterator<Item = Expect>) -> Self {
        Self::start(true, ping, expected)
    }

    fn start(ordered: bool, ping: Answer, expected: impl IntoIterator<Item = Expect>) -> Self {
        let expected = expected.into_iter().collect();
        let script = Script { ordered, ping, pings: 0, lists_of_nodes: 0, expected, problems: Vec::new() };
        let script = Arc::new(Mutex::new(script));
        Self { server: Server::start(Player(Arc::clone(&script))), script }
    }

    /// Number of pings.
    pub fn pings(&self) -> usize {
        lock(&self.script).pings
    }

    /// All requests except pings and lists of nodes that are not in the script.
    pub fn asked(&self) -> Vec<Request> {
        let is_scripted = lock(&self.script).expected.iter().any(|expect| expect.path.ends_with("/nodes"));
        let is_shown =
            |request: &Request| request.endpoint() != "/_ping" && (is_scripted || !is_list_of_nodes(request));
        self.server.requests().into_iter().filter(is_shown).collect()
    }

    /// The deviations from the script.
    pub fn problems(&self) -> Vec<String> {
        let script = lock(&self.script);
        let mut problems = script.problems.clone();
        for expect in script.expected.iter().filter(|expect| expect.used < *expect.times.start()) {
            problems.push(format!("unused: {}", expect.line()));
        }
        // Each command pings the engine once, unless its first request replaces the ping, as that of `inspect` does.
        let commands = script.pings.max(1);
        if script.lists_of_nodes > commands {
            let lists = script.lists_of_nodes;
            problems.push(format!("the nodes were listed {lists} times by {commands} commands"));
        }
        problems
    }
}

impl Deref for Engine {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let problems = self.problems();
        if problems.is_empty() {
            return;
        }
        let log: Vec<String> = self.server.requests().iter().map(Request::line).collect();
        let text = format!(
            "the requests are not those of the script:\n  {}\nall requests:\n  {}",
            problems.join("\n  "),
            log.join("\n  ")
        );
        if thread::panicking() {
            eprintln!("{text}");
        } else {
            panic!("{text}");
        }
    }
}

/// The response to a list of nodes that is not in the script.
const NODES: &str = r#"[{"ID":"n1o2d3e4n1o2d3e4n1o2d3e4n","Spec":{"Role":"manager","Availability":"active"},"Description":{"Hostname":"node-1"},"Status":{"State":"ready","Addr":"127.0.0.1"}}]"#;

fn is_list_of_nodes(request: &Request) -> bool {
    request.method == "GET" && request.endpoint() == "/nodes" && request.query.is_empty()
}

struct Player(Arc<Mutex<Script>>);

impl Handler for Player {
    fn answer(&mut self, request: &Request) -> Answer {
        let script = &mut *lock(&self.0);
        if request.path == "/_ping" {
            script.pings += 1;
            let mut answer = script.ping.clone();
            if request.method == "HEAD" {
                answer.body.clear();
            }
            return answer;
        }
        let mut found = None;
        for (i, expect) in script.expected.iter().enumerate() {
            if expect.used < *expect.times.end() && expect.matches(request) {
                found = Some(i);
                break;
            }
            // In an ordered script, a request that must still be sent has to precede the later ones.
            if script.ordered && expect.used < *expect.times.start() {
                break;
            }
        }
        let has_posts = script.expected.iter().any(|expect| expect.method == "POST");
        if found.is_none() && has_posts && is_list_of_nodes(request) {
            script.lists_of_nodes += 1;
            return Answer::json(200, NODES);
        }
        let Some(i) = found else {
            script.problems.push(format!(
                "unexpected: {} (request {}, connection {})",
                request.line(),
                request.number,
                request.connection
            ));
            return Answer::error(400, &format!("the script does not expect {}", request.line()));
        };
        let expect = &mut script.expected[i];
        expect.used += 1;
        if let Some(check) = &expect.body
            && let Err(why) = check(request)
        {
            let line = expect.line();
            script.problems.push(format!("wrong body of {line}: {why}"));
        }
        script.expected[i].answer.clone()
    }
}

/// Tests that deviations from a script are detected.
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn ask(engine: &Engine, request: &str) -> String {
        let mut stream = UnixStream::connect(engine.socket()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn unexpected_and_unused_requests_are_named_and_fail_the_test() {
        let engine = Engine::ordered([get("/v1.41/a?x=1&y=2"), post("/v1.41/b")]);
        assert!(ask(&engine, "GET /v1.41/a?y=2&x=1 HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
        assert!(ask(&engine, "GET /_ping HTTP/1.1\r\n\r\n").ends_with("\r\n\r\nOK"));
        assert!(ask(&engine, "GET /v1.41/c HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400"));
        let problems = engine.problems();
        assert!(problems[0].starts_with("unexpected: GET /v1.41/c"), "{problems:?}");
        assert_eq!((problems[1].as_str(), problems.len()), ("unused: POST /v1.41/b", 2));
        assert_eq!(engine.pings(), 1);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(engine))).is_err());
    }

    #[test]
    fn the_order_the_query_and_the_body_count() {
        let engine = Engine::ordered([get("/a"), get("/b")]);
        ask(&engine, "GET /b HTTP/1.1\r\n\r\n");
        assert_eq!(engine.problems().len(), 3, "{:?}", engine.problems());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(engine))).is_err());

        let engine = Engine::ordered([get("/a?x=1")]);
        ask(&engine, "GET /a?x=2 HTTP/1.1\r\n\r\n");
        ask(&engine, "GET /a HTTP/1.1\r\n\r\n");
        assert_eq!(engine.problems().len(), 3, "{:?}", engine.problems());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(engine))).is_err());

        let engine = Engine::unordered([post("/a").body_is("{\"a\":1}"), get("/b")]);
        ask(&engine, "GET /b HTTP/1.1\r\n\r\n");
        ask(&engine, "POST /a HTTP/1.1\r\nContent-Length: 7\r\n\r\n{\"a\":2}");
        assert!(
            engine.problems()[0].starts_with("wrong body of POST /a: from byte 5 on"),
            "{:?}",
            engine.problems()
        );
        assert!(catch_unwind(AssertUnwindSafe(|| drop(engine))).is_err());
    }
}

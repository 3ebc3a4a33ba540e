//! Faults of the connection between the engine and a client.

use super::message::{Answer, Framing};

/// A fault of a response after a number of bytes of head and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFault {
    /// The connection is closed after a number of bytes. With 0, there is no response.
    Cut(usize),
    /// After a number of bytes, nothing more is sent, and the connection stays open.
    Stall(usize),
    /// After a number of bytes, the rest is not valid HTTP, JSON or UTF-8. The connection is closed at the end.
    Garble(usize),
}

/// A fault of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// The connection is closed when it is accepted, so that the request cannot be sent.
    Unsent,
    /// The connection is closed after the engine has read this number of bytes.
    After(usize),
}

/// How the engine treats later connections, and later requests on open connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    Open,
    /// Accepts connections and closes them immediately.
    Closing,
    /// Refuses connections.
    Refusing,
}

/// A fault that is injected into one request or its response.
#[derive(Clone, Debug)]
pub struct InjectedFault {
    /// The number of the request, counted from 1, including pings.
    pub request: usize,
    pub kind: FaultKind,
    /// Whether the request is handled before its response breaks.
    pub handled: bool,
    pub then: Listener,
    /// Whether all later responses break in the same way.
    pub is_permanent: bool,
}

/// The kind of fault.
#[derive(Clone, Debug)]
pub enum FaultKind {
    Response(ResponseFault),
    /// The response becomes malformed.
    Malformed(Malformation),
    /// Another response is sent.
    Replaced(Answer),
    /// The request does not arrive completely.
    Request(RequestFault),
}

impl InjectedFault {
    /// The response is lost completely after the request was handled. Later connections work.
    pub fn lost(request: usize) -> Self {
        Self::by(request, ResponseFault::Cut(0))
    }

    pub fn by(request: usize, fault: ResponseFault) -> Self {
        Self::new(request, FaultKind::Response(fault))
    }

    pub fn instead(request: usize, answer: Answer) -> Self {
        Self::new(request, FaultKind::Replaced(answer))
    }

    pub fn new(request: usize, kind: FaultKind) -> Self {
        Self { request, kind, handled: true, then: Listener::Open, is_permanent: false }
    }

    /// The request is not handled.
    pub fn unhandled(self) -> Self {
        Self { handled: false, ..self }
    }

    /// Sets how later connections are treated.
    pub fn then(self, then: Listener) -> Self {
        Self { then, ..self }
    }

    /// Breaks all later responses as well.
    pub fn permanently(self) -> Self {
        Self { is_permanent: true, ..self }
    }

    /// Whether the fault applies to this request.
    pub fn is_about(&self, request: usize) -> bool {
        self.request == request || (self.is_permanent && self.request < request)
    }

    /// Applies the fault to a response.
    pub fn apply(self, mut answer: Answer) -> Answer {
        match self.kind {
            FaultKind::Response(fault) => answer.fault = Some(fault),
            FaultKind::Malformed(malformation) => answer = malformation.apply(answer),
            FaultKind::Replaced(other) => {
                let framing =
                    if other.framing == Framing::Auto { answer.framing } else { other.framing.clone() };
                let delay = answer.delay + other.delay;
                answer = Answer { framing, date: answer.date, delay, ..other };
            }
            FaultKind::Request(_) => {}
        }
        answer.then = Some(self.then);
        answer
    }
}

/// The ways in which a response is malformed. A client must accept those with interim responses, and may refuse all
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformation {
    /// The size of a chunk is not a number.
    BadChunkSize,
    /// The size of a chunk overflows.
    HugeChunkSize,
    /// A chunk is longer than its size says.
    ChunkTooLong,
    /// `Content-Length` is too large, and the connection is closed at the end.
    LengthTooLong,
    /// `Content-Length` is too small, the connection stays open, and the rest precedes the next response.
    LengthTooShort,
    /// A byte in the middle of the body is not valid UTF-8.
    InvalidUtf8,
    /// The first half of the body, with correct framing.
    HalfJson,
    /// An HTML page with status 200.
    Html,
    /// An interim response (100, 103) before the response.
    Interim(u16),
    /// Many interim responses.
    Interims,
    /// 101: the protocol switches to something other than HTTP.
    Switching,
    /// A redirect to a path where an engine would respond with JSON.
    Redirect(u16),
    /// One header of 1 MB.
    LongHeader,
    /// 10,000 headers.
    ManyHeaders,
}

impl Malformation {
    pub const ALL: [Self; 18] = [
        Self::BadChunkSize,
        Self::HugeChunkSize,
        Self::ChunkTooLong,
        Self::LengthTooLong,
        Self::LengthTooShort,
        Self::InvalidUtf8,
        Self::HalfJson,
        Self::Html,
        Self::Interim(100),
        Self::Interim(103),
        Self::Interims,
        Self::Switching,
        Self::Redirect(301),
        Self::Redirect(302),
        Self::Redirect(307),
        Self::Redirect(308),
        Self::LongHeader,
        Self::ManyHeaders,
    ];

    /// Whether a client must accept the response: interim responses, followed by the real one.
    pub fn is_allowed(self) -> bool {
        matches!(self, Self::Interim(_) | Self::Interims)
    }

    /// Whether a client cannot distinguish the response from a successful one.
    pub fn looks_like_success(self) -> bool {
        self.is_allowed() || matches!(self, Self::LengthTooShort | Self::ChunkTooLong)
    }

    /// Makes a response malformed.
    fn apply(self, answer: Answer) -> Answer {
        let whole = Answer { framing: Framing::Length, ..answer.clone() }.bytes();
        let length = format!("Content-Length: {}\r\n\r\n", answer.body.len());
        let head_end = whole.len() - answer.body.len();
        let head = String::from_utf8_lossy(&whole[..head_end]).into_owned();
        let with = |last: &str, body: &[u8]| {
            let mut bytes = head.replace(&length, &format!("{last}\r\n\r\n")).into_bytes();
            bytes.extend_from_slice(body);
            bytes
        };
        let body = &answer.body[..];
        let chunked = |size: &str| {
            let mut bytes = format!("{size}\r\n").into_bytes();
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(b"\r\n0\r\n\r\n");
            with("Transfer-Encoding: chunked", &bytes)
        };
        let before = |interims: String| [interims.as_bytes(), &whole].concat();
        let page = "<!DOCTYPE html><html><body><h1>Welcome</h1><p>Please log in.</p></body></html>";
        let bytes = match self {
            Self::BadChunkSize => chunked("zz"),
            Self::HugeChunkSize => chunked("fffffffffffffffffffffff"),
            Self::ChunkTooLong => chunked(&format!("{:x}", body.len() / 2)),
            Self::LengthTooLong => with(&format!("Content-Length: {}", body.len() + 10), body),
            Self::LengthTooShort => with(&format!("Content-Length: {}", body.len() / 2), body),
            Self::InvalidUtf8 => {
                let mut body = body.to_vec();
                let middle = body.len() / 2;
                body.splice(middle..(middle + 1).min(body.len()), [0xff]);
                with(&format!("Content-Length: {}", body.len()), &body)
            }
            Self::HalfJson => {
                let body = if body.is_empty() { b"{\"mess" } else { &body[..body.len() / 2] };
                with(&format!("Content-Length: {}", body.len()), body)
            }
            Self::Html => format!(
                "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
                page.len()
            )
            .into_bytes(),
            Self::Interim(status) => before(format!("HTTP/1.1 {status} Wait\r\n\r\n")),
            Self::Interims => before("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(200)),
            Self::Switching => {
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".to_vec()
            }
            Self::Redirect(status) => format!(
                "HTTP/1.1 {status} Elsewhere\r\nLocation: http://localhost/v1.41/info\r\nContent-Length: 0\r\n\r\n"
            )
            .into_bytes(),
            Self::LongHeader => with(&format!("X-Long: {}\r\n{}", "x".repeat(1 << 20), length.trim()), body),
            Self::ManyHeaders => with(&format!("{}{}", "X-Many: y\r\n".repeat(10_000), length.trim()), body),
        };
        let framing = if self == Self::LengthTooShort { Framing::RawKept } else { Framing::Raw };
        Answer { body: bytes, framing, ..answer }
    }
}

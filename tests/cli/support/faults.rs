//! What goes wrong between an engine and who asks it.

use super::message::{Answer, Framing};

/// What goes wrong with an answer: after so many bytes of the whole answer, head and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFault {
    /// The connection is closed; after 0 bytes that is a close before the answer.
    Cut(usize),
    /// Nothing more comes, the connection stays.
    Stall(usize),
    /// The rest is bytes that are no HTTP, no JSON and no UTF-8; then the connection is closed.
    Garble(usize),
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// The connection that it was to go by is closed when it is accepted; none is kept for it.
    Unsent,
    /// The engine reads so many bytes of it, then the connection is closed.
    After(usize),
}

/// What a new connection meets, and the next request on one that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    Open,
    /// Accepted and closed at once.
    Closing,
    /// Nobody listens any more: connection refused.
    Refusing,
}

/// How a request or its answer is broken.
#[derive(Clone, Debug)]
pub struct InjectedFault {
    /// The request, counted from 1 over all that come, pings too.
    pub request: usize,
    pub kind: FaultKind,
    /// Whether the request takes effect before its answer breaks.
    pub handled: bool,
    pub then: Listener,
    /// All later answers are broken in the same way.
    pub is_permanent: bool,
}

/// What comes in the place of an answer.
#[derive(Clone, Debug)]
pub enum FaultKind {
    Response(ResponseFault),
    /// The answer, made into one that no engine gives.
    Malformed(Malformation),
    /// Another answer.
    Replaced(Answer),
    /// None comes, since the request does not arrive.
    Request(RequestFault),
}

impl InjectedFault {
    /// The answer is lost whole, the request was handled, later connections work.
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

    /// The request never takes effect.
    pub fn unhandled(self) -> Self {
        Self { handled: false, ..self }
    }

    /// What later connections meet.
    pub fn then(self, then: Listener) -> Self {
        Self { then, ..self }
    }

    /// All later answers, too.
    pub fn permanently(self) -> Self {
        Self { is_permanent: true, ..self }
    }

    /// Whether the answer to this request is broken.
    pub fn is_about(&self, request: usize) -> bool {
        self.request == request || (self.is_permanent && self.request < request)
    }

    /// The answer as it is sent.
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

/// Answers that no engine gives, each for its own reason; but for the interim ones, which HTTP allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformation {
    /// The size of a chunk is no number.
    BadChunkSize,
    /// The size of a chunk is more than any machine's numbers hold.
    HugeChunkSize,
    /// A chunk is longer than its size says.
    ChunkTooLong,
    /// `Content-Length` is more than comes; the connection is closed after it.
    LengthTooLong,
    /// `Content-Length` is less than comes; the connection is kept, and the rest stands before the next answer.
    LengthTooShort,
    /// A byte in the middle of the body is none of UTF-8.
    InvalidUtf8,
    /// The first half of the body, and its framing is right.
    HalfJson,
    /// A page for people, with status 200, from what is no engine.
    Html,
    /// This interim status (100, 103) before the real answer.
    Interim(u16),
    /// Many of them.
    Interims,
    /// 101: from now on something else than HTTP is spoken.
    Switching,
    /// A redirect with this status, to where an engine would answer 200 with JSON.
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

    /// HTTP allows it: the real answer is there too.
    pub fn is_allowed(self) -> bool {
        matches!(self, Self::Interim(_) | Self::Interims)
    }

    /// Nobody could tell it from the answer of an engine that has done what it was asked.
    pub fn looks_like_success(self) -> bool {
        self.is_allowed() || matches!(self, Self::LengthTooShort | Self::ChunkTooLong)
    }

    /// The answer, made into one of this kind.
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

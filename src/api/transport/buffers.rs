//! The buffers of one connection.

use ureq::unversioned::transport;

/// The minimum size of the scratch space for a request body, in bytes.
const MIN_SCRATCH_LEN: usize = 10 << 10;

/// The input and output buffers of one connection. Unlike ureq's own buffers they are not filled with zeros,
/// so pages that are not used take no memory.
#[derive(Debug)]
pub(super) struct Buffers {
    sizes: (usize, usize),
    output: Vec<u8>,
    input: Vec<u8>,
    /// The range of `input` that was received and has not been consumed.
    unused: (usize, usize),
    /// Whether the last call consumed input, so that more can be consumed without reading.
    has_progress: bool,
}

impl Buffers {
    /// Creates buffers of these sizes in bytes. They are allocated at the first use.
    pub(super) fn new(input: usize, output: usize) -> Self {
        Self {
            sizes: (input, output),
            output: Vec::new(),
            input: Vec::new(),
            unused: (0, 0),
            has_progress: false,
        }
    }

    fn make(&mut self) {
        // `vec![0; n]` calls `calloc`, which does not touch new pages.
        if self.input.is_empty() {
            self.input = vec![0; self.sizes.0];
        }
        if self.output.is_empty() {
            self.output = vec![0; self.sizes.1];
        }
    }

    /// Moves the unconsumed input to the front and makes room for at least `least` bytes behind it.
    fn make_room(&mut self, least: usize) {
        self.make();
        let (from, to) = self.unused;
        self.input.copy_within(from..to, 0);
        self.unused = (0, to - from);
        if self.input.len() < to - from + least {
            self.input.resize(to - from + least, 0);
        }
    }
}

impl transport::Buffers for Buffers {
    fn output(&mut self) -> &mut [u8] {
        self.make();
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.unused.0..self.unused.1]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        // Without free space, a read would return 0, which would mean that the connection has ended.
        self.make_room(1);
        &mut self.input[self.unused.1..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.unused.1 = (self.unused.1 + amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        self.has_progress = amount > 0;
        self.unused.0 = (self.unused.0 + amount).min(self.unused.1);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_room(MIN_SCRATCH_LEN);
        (&mut self.input[self.unused.1..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.has_progress && self.unused.0 < self.unused.1
    }
}

#[cfg(test)]
mod tests {
    use transport::Buffers as _;

    use super::*;

    fn receive(buffers: &mut Buffers, bytes: &[u8]) {
        buffers.input_append_buf()[..bytes.len()].copy_from_slice(bytes);
        buffers.input_appended(bytes.len());
    }

    #[test]
    fn received_bytes_stay_until_they_are_consumed() {
        let mut buffers = Buffers::new(8, 4);
        assert!(buffers.input().is_empty() && !buffers.can_use_input());
        receive(&mut buffers, b"abcdef");
        assert!(!buffers.can_use_input(), "nothing was used yet");
        buffers.input_consume(4);
        assert!(buffers.can_use_input());
        receive(&mut buffers, b"ghijkl");
        assert_eq!(buffers.input(), b"efghijkl");
        buffers.input_consume(0);
        assert!(!buffers.can_use_input(), "nothing more was received");
        receive(&mut buffers, b"m");
        assert_eq!(buffers.input(), b"efghijklm");
        buffers.input_consume(9);
        assert!(buffers.input().is_empty() && !buffers.can_use_input());
    }

    #[test]
    fn a_body_does_not_overwrite_received_bytes() {
        let mut buffers = Buffers::new(8, 4);
        receive(&mut buffers, b"abcdefgh");
        let (scratch, output) = buffers.tmp_and_output();
        assert_eq!((scratch.len(), output.len()), (MIN_SCRATCH_LEN, 4));
        scratch.fill(b'x');
        assert_eq!(buffers.input(), b"abcdefgh");
    }
}

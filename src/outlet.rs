//! A stream that others read, written to without ever waiting for them. A full pipe (a stopped pager, a stuck log driver)
//! would hold up whoever writes to it, so texts wait in memory and a thread of their own writes them. When there is no
//! room left they are lost, and counted.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::mem;
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Most bytes that wait; a single text may be longer. As many again may be on their way.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// The thread does nothing but write.
const THREAD_STACK_BYTES: usize = 64 * 1024;

/// How soon to try again when somebody else made the stream non-blocking and it is full.
const RETRY: Duration = Duration::from_millis(20);

/// How long to wait for the last texts at the end of the program: while somebody reads them, …
const LAST: Duration = Duration::from_secs(30);

/// … while nobody seems to, …
const LAST_STILL: Duration = Duration::from_secs(5);

/// … and when there is hardly any time left.
const LAST_IN_HASTE: Duration = Duration::from_millis(100);

/// What is written once writing works again, when so many texts were lost in this place; `None` says nothing.
pub type Obituary = fn(u64) -> Option<String>;

/// Clones write to the same stream.
#[derive(Clone, Debug)]
pub struct Outlet(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<String>,
    waiting_bytes: usize,
    /// Whether some are on their way.
    writing: bool,
    /// Texts done with, to tell a slow reader from none.
    done: u64,
    /// Since the start.
    lost: u64,
    /// For want of room behind those that wait.
    dropped: u64,
    /// Why the last one could not be written, until somebody was told.
    error: Option<io::Error>,
}

impl State {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.writing
    }
}

impl Outlet {
    /// Writes to `stream` in a thread of this name. It has a handle of its own, and so shares no lock with other writers.
    pub fn start(stream: impl AsFd, name: &str, obituary: Obituary) -> io::Result<Self> {
        let file = File::from(stream.as_fd().try_clone_to_owned()?);
        let shared: Arc<Shared> = Arc::default();
        let behind = Arc::clone(&shared);
        thread::Builder::new()
            .name(name.to_owned())
            .stack_size(THREAD_STACK_BYTES)
            .spawn(move || behind.write_all_to(file, obituary))?;
        Ok(Outlet(shared))
    }

    /// Has `text` written eventually. An error says that this text is lost, or why an earlier one was.
    pub fn put(&self, text: String) -> io::Result<()> {
        let mut state = self.0.lock();
        if !state.waiting.is_empty() && state.waiting_bytes + text.len() > WAITING_BYTES_MAX {
            state.lost += 1;
            state.dropped += 1;
            return Err(io::Error::new(ErrorKind::WouldBlock, "nobody reads it"));
        }
        state.waiting_bytes += text.len();
        state.waiting.push(text);
        let earlier = state.error.take();
        drop(state);
        self.0.changed.notify_all();
        earlier.map_or(Ok(()), Err)
    }

    /// Texts lost so far.
    pub fn lost(&self) -> u64 {
        self.0.lock().lost
    }

    /// Waits for the last texts to be written: while somebody reads them, and a little longer.
    pub fn finish(&self) {
        self.wait_until_written(LAST_STILL, LAST);
    }

    /// The same when the program has to be gone in a moment.
    pub fn finish_in_haste(&self) {
        self.wait_until_written(LAST_IN_HASTE, LAST_IN_HASTE);
    }

    /// Waits no longer than `most`, and without any progress no longer than `still`. `false` when something is left.
    fn wait_until_written(&self, still: Duration, most: Duration) -> bool {
        let end = Instant::now() + most;
        let mut state = self.0.lock();
        while !state.is_idle() {
            let done = state.done;
            let time = still.min(end.saturating_duration_since(Instant::now()));
            let waits = |state: &mut State| !state.is_idle() && state.done == done;
            let waited = self.0.changed.wait_timeout_while(state, time, waits);
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = after;
            if timeout.timed_out() {
                return state.is_idle();
            }
        }
        true
    }
}

/// Each `write` is one text.
impl Write for Outlet {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.put(String::from_utf8_lossy(text).into_owned())?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: writes for as long as the program runs.
    fn write_all_to(&self, file: File, obituary: Obituary) {
        let mut stream = Stream { file, torn: false };
        let mut unsaid = 0;
        loop {
            let (texts, dropped) = self.next();
            for text in texts {
                unsaid = stream.bury(unsaid, obituary);
                let result = stream.write(&text);
                unsaid += u64::from(result.is_err());
                self.end_of_one(result);
            }
            // They were dropped while these waited, so this is their place.
            unsaid = stream.bury(unsaid + dropped, obituary);
            self.lock().writing = false;
            self.changed.notify_all();
        }
    }

    /// Waits for the next texts; and how many were dropped behind them.
    fn next(&self) -> (Vec<String>, u64) {
        let waits = |state: &mut State| state.waiting.is_empty();
        let state = self.changed.wait_while(self.lock(), waits);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.writing = true;
        state.waiting_bytes = 0;
        (mem::take(&mut state.waiting), mem::take(&mut state.dropped))
    }

    fn end_of_one(&self, result: io::Result<()>) {
        let mut state = self.lock();
        state.done += 1;
        if let Err(error) = result {
            state.lost += 1;
            state.error = Some(error);
        }
        drop(state);
        self.changed.notify_all();
    }
}

struct Stream {
    file: File,
    /// Whether the last text ended in its middle.
    torn: bool,
}

impl Stream {
    /// Says that so many were lost; how many of them are still to be said.
    fn bury(&mut self, lost: u64, obituary: Obituary) -> u64 {
        let words = if lost == 0 { None } else { obituary(lost) };
        if words.is_none_or(|words| self.write(&words).is_ok()) { 0 } else { lost }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        if self.torn {
            self.write_bytes(b"\n")?;
            self.torn = false;
        }
        self.write_bytes(text.as_bytes())
    }

    fn write_bytes(&mut self, mut rest: &[u8]) -> io::Result<()> {
        let whole = rest.len();
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY),
                Err(error) => {
                    self.torn |= rest.len() < whole;
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, PipeReader, pipe};
    use std::os::fd::OwnedFd;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);
    const BRIEFLY: Duration = Duration::from_millis(20);

    fn say_lost(count: u64) -> Option<String> {
        (count > 0).then(|| format!("{count} lost\n"))
    }

    fn outlet() -> (Outlet, PipeReader) {
        let (reader, writer) = pipe().unwrap();
        (Outlet::start(&writer, "test", say_lost).unwrap(), reader)
    }

    /// Until no more fit: the pipe is full, so is the memory, and nothing moves.
    fn fill(outlet: &Outlet) {
        outlet.put("x".repeat(WAITING_BYTES_MAX) + "\n").unwrap();
        while !outlet.0.lock().waiting.is_empty() {
            thread::yield_now();
        }
        while outlet.put("x\n".repeat(1000)).is_ok() {}
    }

    #[test]
    fn texts_arrive_in_order() {
        let (outlet, reader) = outlet();
        for number in 0..1000 {
            outlet.put(format!("{number}\n")).unwrap();
        }
        let lines = BufReader::new(reader).lines().take(1000).map(Result::unwrap);
        assert!(lines.eq((0..1000).map(|number| number.to_string())), "out of order");
        assert!(outlet.wait_until_written(PATIENCE, PATIENCE));
    }

    #[test]
    fn nobody_waits_for_a_reader_and_the_lost_are_said_in_their_place() {
        let (outlet, reader) = outlet();
        fill(&outlet);
        let put = || outlet.put("x\n".repeat(1000));
        assert_eq!(put().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(!outlet.wait_until_written(BRIEFLY, PATIENCE), "a stuck pipe was flushed");
        assert_eq!(outlet.lost(), 2);
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        assert_eq!(lines.find(|line| !line.starts_with('x')).unwrap(), "2 lost");
        outlet.put("found\n".to_owned()).unwrap();
        assert_eq!(lines.next().unwrap(), "found", "said twice");
        assert_eq!(outlet.lost(), 2);
    }

    #[test]
    fn a_slow_reader_is_waited_for_but_not_for_ever() {
        let (outlet, reader) = outlet();
        fill(&outlet);
        assert!(!outlet.wait_until_written(PATIENCE, BRIEFLY), "a stuck pipe was flushed");
        // Ends with the test: the other end stays open for as long as the program runs.
        thread::spawn(move || BufReader::new(reader).lines().count());
        assert!(outlet.wait_until_written(PATIENCE, PATIENCE), "not waited for");
    }

    #[test]
    fn a_text_that_could_not_be_written_whole_does_not_tear_the_next() {
        let (reader, writer) = pipe().unwrap();
        let mut stream = Stream { file: File::from(OwnedFd::from(writer)), torn: true };
        assert_eq!(stream.bury(3, say_lost), 0);
        stream.write("whole\n").unwrap();
        drop(stream);
        let lines: Vec<_> = BufReader::new(reader).lines().map(Result::unwrap).collect();
        assert_eq!(lines, ["", "3 lost", "whole"]);
    }

    #[test]
    fn a_stream_that_ended_is_told_of_and_counted() {
        let (outlet, reader) = outlet();
        drop(reader);
        outlet.put("a\n".to_owned()).unwrap();
        assert!(outlet.wait_until_written(PATIENCE, PATIENCE));
        assert_eq!(outlet.put("b\n".to_owned()).unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert!(outlet.wait_until_written(PATIENCE, PATIENCE));
        assert_eq!(outlet.lost(), 2);
    }
}

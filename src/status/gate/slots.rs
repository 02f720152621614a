//! Who is inside, oldest first.

use std::collections::VecDeque;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The places for connections.
pub struct Slots {
    most: usize,
    bytes_most: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    next: u64,
    /// Those whose connection is open.
    open: VecDeque<Open>,
    /// All of them, with those that were shown out and have not noticed yet.
    threads: usize,
}

struct Open {
    number: u64,
    stream: Arc<TcpStream>,
    /// Bytes of the answer that it is given.
    bytes: usize,
}

/// One place; left when dropped.
pub struct Place {
    number: u64,
    stream: Arc<TcpStream>,
    slots: Arc<Slots>,
}

impl Slots {
    /// Places for so many connections, and for answers of so many bytes together.
    pub fn new(most: usize, bytes_most: usize) -> Arc<Self> {
        Arc::new(Slots { most, bytes_most, inside: Mutex::default() })
    }

    /// A place for this connection; when all are taken the oldest has to go. `None`, and the connection is closed, while
    /// too many of those that had to go are still on their way.
    pub fn enter(self: &Arc<Self>, stream: TcpStream) -> Option<Place> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.threads >= self.most * 2 {
            return None;
        }
        if inside.open.len() >= self.most {
            inside.show_out_oldest();
        }
        let (number, stream) = (inside.next, Arc::new(stream));
        inside.next += 1;
        inside.threads += 1;
        inside.open.push_back(Open { number, stream: Arc::clone(&stream), bytes: 0 });
        Some(Place { number, stream, slots: Arc::clone(self) })
    }

    /// The oldest has to go, so that its file descriptor is free.
    pub fn make_room(&self) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).show_out_oldest();
    }
}

impl Inside {
    fn show_out_oldest(&mut self) {
        self.show_out(0);
    }

    fn show_out(&mut self, position: usize) {
        if let Some(open) = self.open.remove(position) {
            // Its thread wakes up from whatever it waits for.
            let _ = open.stream.shutdown(Shutdown::Both);
        }
    }
}

impl Place {
    /// The connection.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// An answer of so many bytes is ready for it. When all answers together are too large, those that have been on their
    /// way longest have to go.
    pub fn hold(&self, bytes: usize) {
        let mut inside = self.slots.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = inside.open.iter_mut().find(|open| open.number == self.number);
        // Otherwise it was shown out meanwhile.
        if let Some(mine) = mine {
            mine.bytes = bytes;
        }
        while inside.open.iter().map(|open| open.bytes).sum::<usize>() > self.slots.bytes_most {
            let other = |open: &Open| open.bytes > 0 && open.number != self.number;
            let Some(oldest) = inside.open.iter().position(other) else { return };
            inside.show_out(oldest);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.slots.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.threads -= 1;
        inside.open.retain(|open| open.number != self.number);
    }
}

//! Who is inside, oldest first.

use std::collections::VecDeque;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// The places for connections.
pub struct Slots {
    most: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    next: u64,
    /// Those whose connection is open.
    open: VecDeque<(u64, Arc<TcpStream>)>,
    /// All of them, with those that were shown out and have not noticed yet.
    threads: usize,
}

/// One place; left when dropped.
pub struct Place {
    number: u64,
    stream: Arc<TcpStream>,
    slots: Arc<Slots>,
}

impl Slots {
    /// Places for so many connections.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Slots { most, inside: Mutex::default() })
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
        inside.open.push_back((number, Arc::clone(&stream)));
        Some(Place { number, stream, slots: Arc::clone(self) })
    }

    /// The oldest has to go, so that its file descriptor is free.
    pub fn make_room(&self) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).show_out_oldest();
    }
}

impl Inside {
    fn show_out_oldest(&mut self) {
        if let Some((_, oldest)) = self.open.pop_front() {
            // Its thread wakes up from whatever it waits for.
            let _ = oldest.shutdown(Shutdown::Both);
        }
    }
}

impl Place {
    /// The connection.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.slots.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.threads -= 1;
        inside.open.retain(|(number, _)| *number != self.number);
    }
}

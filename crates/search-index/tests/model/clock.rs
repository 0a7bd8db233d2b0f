//! One time for all: it goes on with what is done, and jumps when everyone sleeps.

use std::sync::Mutex;

use tokio::sync::watch;

/// 2026-11-20T12:00:00Z.
pub const BEGIN: i64 = 1_795_176_000_000;
/// A minute in ms.
pub const MINUTE: i64 = 60_000;

/// The time, and who is there to let it go on.
pub struct Clock {
    now: watch::Sender<i64>,
    /// How many are awake, and until when the others sleep.
    sleepers: Mutex<(isize, Vec<i64>)>,
}

impl Clock {
    /// For so many who use it (each may sleep in several places at once).
    pub fn new(users: usize) -> Clock {
        Clock { now: watch::Sender::new(BEGIN), sleepers: Mutex::new((users as isize, Vec::new())) }
    }

    /// Epoch ms.
    pub fn now(&self) -> i64 {
        *self.now.borrow()
    }

    /// Time goes by.
    pub fn advance(&self, ms: i64) {
        self.now.send_modify(|now| *now += ms);
    }

    /// Sleeps while the others go on; when nobody is left to do that, the first to wake is woken.
    pub async fn sleep(&self, ms: i64) {
        let until = self.now() + ms;
        {
            let mut sleepers = self.sleepers.lock().unwrap();
            sleepers.1.push(until);
            sleepers.0 -= 1;
            self.jump(&sleepers);
        }
        // One who is killed in his sleep is awake again: he begins anew.
        let _awake = Awake(self, until);
        let mut now = self.now.subscribe();
        now.wait_for(|now| *now >= until).await.unwrap();
    }

    /// One is done and does not come back.
    pub fn leave(&self) {
        let mut sleepers = self.sleepers.lock().unwrap();
        sleepers.0 -= 1;
        self.jump(&sleepers);
    }

    fn jump(&self, (awake, sleeping): &(isize, Vec<i64>)) {
        if let (..=0, Some(first)) = (*awake, sleeping.iter().min()) {
            self.now.send_modify(|now| *now = (*now).max(*first));
        }
    }
}

struct Awake<'a>(&'a Clock, i64);

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        let mut sleepers = self.0.sleepers.lock().unwrap();
        sleepers.0 += 1;
        let at = sleepers.1.iter().position(|until| *until == self.1).unwrap();
        sleepers.1.swap_remove(at);
    }
}

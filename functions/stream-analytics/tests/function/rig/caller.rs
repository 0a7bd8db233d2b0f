//! Calls one after the other, of which one goes wrong at a write.

use stream_analytics::handler::handle;
use tokio::task::JoinHandle;

use super::mortal::{Fault, Mortal};
use super::run::Instance;
use super::{Memory, Wires, instance_over};

/// What goes wrong, and for how many calls one who stands still does so.
pub const FAULTS: [(Fault, usize); 5] = [
    (Fault::KilledBefore, 0),
    (Fault::KilledAfter, 0),
    (Fault::AnswerLost, 0),
    (Fault::Stalled, 1),
    (Fault::Stalled, usize::MAX),
];

/// One write goes wrong: a few calls are enough.
const MAX_CALLS: usize = 9;

pub struct Caller {
    pub index: Mortal,
    lake: Memory,
    rules: Memory,
    wires: Wires,
    instance: Instance,
    zombie: Option<JoinHandle<Option<String>>>,
    /// Calls that are made before what stands still goes on.
    patience: usize,
}

impl Caller {
    pub fn new(index: &Memory, lake: &Memory, rules: &Memory, wires: &Wires, patience: usize) -> Caller {
        let index = Mortal::new(index.clone());
        let instance = instance_over(&index, lake, rules, wires);
        let (lake, rules, wires) = (lake.clone(), rules.clone(), wires.clone());
        Caller { index, lake, rules, wires, instance, zombie: None, patience }
    }

    /// A new process.
    pub fn renew(&mut self) {
        self.instance = instance_over(&self.index, &self.lake, &self.rules, &self.wires);
    }

    /// A call's answer, none if it failed; or its process is thought dead, and there is a new one.
    pub async fn call(&mut self, event: &str) -> Option<String> {
        if self.zombie.is_some() {
            if self.patience == 0 {
                self.wake().await;
            } else {
                self.patience -= 1;
            }
        }
        let (context, event) = (self.instance.clone(), event.to_owned());
        let mut task = tokio::task::spawn_local(async move {
            let reply = handle(&event, &context).await.ok()?;
            Some(serde_json::to_string(&reply).unwrap())
        });
        tokio::select! {
            reply = &mut task => return reply.unwrap(),
            () = self.index.down() => {}
        }
        self.renew();
        self.zombie = Some(task);
        None
    }

    /// What stands still goes on, and ends.
    pub async fn wake(&mut self) {
        self.index.release();
        let Some(task) = self.zombie.take() else { return };
        // One that was killed never goes on.
        if self.index.is_killed() {
            task.abort();
        } else {
            let _ = task.await;
        }
    }
    /// Calls until it is answered, and so.
    pub async fn insist(&mut self, event: &str, is_good: impl Fn(&str) -> bool) {
        for _ in 0..MAX_CALLS {
            if self.call(event).await.is_some_and(|answer| is_good(&answer)) {
                return;
            }
        }
        panic!("{MAX_CALLS} calls, and no good answer");
    }
}

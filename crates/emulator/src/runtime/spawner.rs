//! Starts processes that end with the emulator, however it ends.

use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Request {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<std::io::Result<Child>>,
}

/// A thread that starts processes. On Linux a process can ask for a signal when the *thread* that started it ends: so one
/// thread starts them all and lives as long as the pool does; the threads of the async runtime come and go.
pub struct Spawner {
    requests: mpsc::Sender<Request>,
}

impl Spawner {
    /// Starts the thread.
    pub fn new() -> Self {
        let (requests, queue) = mpsc::channel::<Request>();
        let thread = std::thread::Builder::new().name("function-spawner".into());
        let started = thread.spawn(move || {
            for Request { mut command, runtime, reply } in queue {
                let _runtime = runtime.enter();
                let _ = reply.send(command.spawn());
            }
        });
        // Without its thread the channel is closed, and every start of a process says so.
        if let Err(error) = started {
            tracing::error!(%error, "the thread that starts function processes could not be started");
        }
        Spawner { requests }
    }

    /// Starts a process that is killed when this spawner, or its whole process, ends.
    pub async fn spawn(&self, mut command: Command) -> std::io::Result<Child> {
        command.kill_on_drop(true);
        // A group of its own: Ctrl-C in the terminal is for the emulator, which then ends its functions.
        command.process_group(0);
        #[cfg(target_os = "linux")]
        die_with_parent(command.as_std_mut());
        let gone = || std::io::Error::other("the emulator's process starter has stopped");
        let (reply, child) = oneshot::channel();
        let request = Request { command, runtime: Handle::current(), reply };
        self.requests.send(request).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

/// Lets a process be killed when the *thread* that starts it ends, however it ends.
#[cfg(target_os = "linux")]
pub fn die_with_parent(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    let emulator = std::process::id();
    // SAFETY: between fork and exec only async-signal-safe calls are made: prctl and getppid, both plain system calls.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            // The emulator may have ended before the request for the signal was made.
            if libc::getppid() as u32 != emulator {
                return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        });
    }
}

//! Everything end to end, one program: the real emulator, functions and agent, driven with the real SDK.

mod badinput;
mod delivery;
mod ledger;
<<<<<<< HEAD
mod protocols;
=======
mod parity;
>>>>>>> parity
mod races;
mod restart;
mod runtime;
mod workspace;

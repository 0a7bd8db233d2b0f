//! The handler over a world that stalls, repeats and dies: one program for all, because each would be linked with the whole function.

mod applications;
mod exact;
mod exported;
mod kinesis;
mod lake;
mod outputs;
mod pages;
mod rig;
mod tables;

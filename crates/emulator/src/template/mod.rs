//! `template.yaml`: read with its lines, resolved as CloudFormation would, expanded as SAM would, and made real through the
//! services.
//!
//! The data path: [`read`] turns YAML into [`node`]s that know their place; [`parameters`] get their values; [`sam`] expands
//! functions into plain resources ([`declare`]d ones, unresolved); [`resolve`] works out the intrinsic functions of each within
//! a [`scope`] (names and physical ids follow from the template alone: [`names`]), and notes which resources it needs; [`types`]
//! checks and converts the properties by their schemas; [`order`] sorts by need. That much is [`load`], which touches nothing.
//! [`deploy`] then hands the resources, in order and in one transaction, to the `ensure_…` functions of the services.
//!
//! Every error names file, line, column and what was expected. A new resource type goes into `scripts/resource-types` (its
//! schema), [`names`] (its ids) and `apply` (its making).
//!
//! Absent: updates and deletions. What an earlier start made and the template no longer has is left as it is.

mod apply;
mod declare;
mod deploy;
#[cfg(test)]
mod deploy_tests;
mod load;
mod names;
mod node;
mod order;
mod parameters;
mod read;
mod resolve;
mod sam;
mod scope;
#[cfg(test)]
mod tests;
mod types;

pub use deploy::{Stack, deploy};
pub use load::{Resource, Template, TemplateError, binaries, load};

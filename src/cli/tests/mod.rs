//! Tests of the whole command line: every command's man page, and arbitrary values for every flag.

mod man;
mod property_tests;

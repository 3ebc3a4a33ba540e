//! Tests of the whole command line: the man page of every command, and random command lines.

mod man;
mod property_tests;

mod families;
mod grammar;
mod oracle;
mod policies;
mod property;

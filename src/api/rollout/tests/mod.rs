mod counted;
mod held;
mod loops;
mod made;
mod recorded;

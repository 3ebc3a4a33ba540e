mod loops;
mod made;
mod recorded;

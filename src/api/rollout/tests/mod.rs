mod made;
mod recorded;

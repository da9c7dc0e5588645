//! Where a project is and which files it has.

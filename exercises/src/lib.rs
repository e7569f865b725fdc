//! The exercises of the course, as you work on them.
//!
//! `netlayers check 6` puts a program here, `src/bin/udp_header.rs`: it compiles, and it is wrong. Mend it, and check
//! it again. `netlayers hint 6` helps, `netlayers reset 6` begins again, `netlayers progress` says which ones pass.
//! What you write stays here: git does not look at `src/bin/`.
//!
//! The texts that the programs begin as are in `src/lessons/exercises/` of the project, one folder an exercise, with
//! its cases, its hints and a solution.

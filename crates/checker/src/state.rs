//! Which attempt is due and what its outcome means: sans-IO.

//! The IPVS table of the kernel over generic netlink.
#![forbid(unsafe_code)]

//! One attempt against one endpoint, over tokio.

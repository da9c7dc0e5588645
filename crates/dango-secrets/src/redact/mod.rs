//! Known values replaced by `***` in a stream of bytes.

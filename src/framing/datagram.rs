//! One datagram, one frame: the reference format over UDP.

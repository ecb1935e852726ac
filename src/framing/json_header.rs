//! A header in JSON that carries the size of the payload, which is given in pieces.

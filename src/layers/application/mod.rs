//! Layers 5 to 7 of OSI, one layer in TCP/IP: what programs say to each other.

//! A solution of lesson 3's exercise: which frames does an interface take? (RFC 894, IEEE 802.3 section 3.2).

use netlayers::lessons::exercises::is_ours::{For, Read, Refused, answer};

fn read(own: &[u8; 6], frame: &[u8]) -> Result<Read, Refused> {
    if frame.len() < 60 {
        return Err(Refused::Short);
    }
    let ethertype = u16::from_be_bytes([frame[12], frame[13]]);
    if ethertype < 0x0600 {
        return Err(Refused::Length);
    }
    let to = &frame[..6];
    let whom = if to == own {
        For::Me
    } else if to == [0xff; 6] {
        For::All
    } else if frame[0] & 1 == 1 {
        For::Group
    } else {
        For::Another
    };
    Ok(Read { whom, from: frame[6..12].try_into().expect("six bytes"), ethertype })
}

fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), read));
    }
}

// Try this: which of these checks could a switch leave out, and which must it not?

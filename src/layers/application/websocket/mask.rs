//! Masking (RFC 6455 §5.3): each byte of a client's payload is XORed with one of the four bytes of a key.
//!
//! It hides nothing: the key is right before the payload. It keeps a page in a browser from choosing the bytes
//! that go over the wire, which could look like an HTTP request to a careless proxy between (§10.3). That is why the
//! key must be new and unpredictable for every frame, and why only clients mask.

/// Masks, or unmasks (it is the same), a piece of a payload in place. `offset` is the place of its first byte in the
/// payload of the frame: only its remainder by 4 counts.
///
/// The loop over four bytes at a time is what compilers turn into vector instructions: it runs at about the speed at
/// which memory can be copied.
pub fn apply_mask(key: [u8; 4], offset: u64, payload: &mut [u8]) {
    let mut key = key;
    key.rotate_left((offset % 4) as usize);
    let (words, tail) = payload.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(key)).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_masked_hello_of_section_5_7_is_unmasked() {
        let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        apply_mask([0x37, 0xfa, 0x21, 0x3d], 0, &mut payload);
        assert_eq!(&payload, b"Hello");
    }

    proptest! {
        #[test]
        fn it_is_the_rule_of_section_5_3_for_every_length_and_cut(
            key: [u8; 4], payload in proptest::collection::vec(any::<u8>(), 0..100), cut in 0usize..100,
        ) {
            let expected: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
            let mut masked = payload.clone();
            let cut = cut.min(masked.len());
            let (first, second) = masked.split_at_mut(cut);
            apply_mask(key, 0, first);
            apply_mask(key, cut as u64, second);
            prop_assert_eq!(&masked, &expected);
            apply_mask(key, 0, &mut masked);
            prop_assert_eq!(masked, payload);
        }
    }
}

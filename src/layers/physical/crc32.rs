//! CRC-32: the frame check sequence at the end of every Ethernet frame (IEEE 802.3 §3.2.9).
//!
//! The frame is read as one long polynomial over the numbers 0 and 1, and divided by the polynomial of degree 32 below;
//! what remains is the check sequence. Any burst of up to 32 wrong bits is found; of longer damage about one case in
//! four thousand million is not. The Internet checksum above it is far weaker (RFC 1071, [`crate::base`]).
//!
//! Ethernet sends each byte's *least* significant bit first, so the arithmetic here is done with all bits mirrored:
//! shifts go right, and the polynomial 0x04c11db7 becomes 0xedb88320.
//!
//! Read first: R. N. Williams, "A painless guide to CRC error detection algorithms" (1993). The tables are his
//! idea for one byte, taken to sixteen bytes a step ("slicing-by-N": Kounavis and Berry, ISCC 2005).

/// The generator polynomial, mirrored: x^32 is left out, the lowest bit is x^31.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// Bytes taken in one step. Each of them needs a table of its own.
const STEP: usize = 16;

/// `TABLES[n][b]`: what the byte `b`, followed by `n` zero bytes, leaves in the register.
static TABLES: [[u32; 256]; STEP] = tables();

/// What [`crc32`] gives for any bytes that are followed by their own check sequence, as [`fcs_bytes`] orders it.
///
/// A receiver need not know where the data ends: it runs the register over the whole frame and looks for this.
/// (Books also give it before the final complement, as 0xdebb20e3, and that unmirrored, as 0xc704dd7b.)
pub const RESIDUE: u32 = 0x2144_df1c;

/// The IEEE 802.3 frame check sequence of `bytes`, as a number.
///
/// The register starts with all ones, so that zeros put before the data are noticed, and is complemented in the end,
/// so that zeros lost or added after it are.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut register = u32::MAX;
    let mut chunks = bytes.chunks_exact(STEP);
    for chunk in &mut chunks {
        // The register is as wide as four bytes and belongs to the first four; each byte then acts on its own.
        let start = register.to_le_bytes();
        register = 0;
        for i in 0..STEP {
            let byte = chunk[i] ^ if i < 4 { start[i] } else { 0 };
            register ^= TABLES[STEP - 1 - i][usize::from(byte)];
        }
    }
    for byte in chunks.remainder() {
        register = register >> 8 ^ TABLES[0][usize::from(*byte ^ register as u8)];
    }
    !register
}

/// The check sequence in the order of the wire.
///
/// The coefficient of x^31 goes first (IEEE 802.3 §3.2.9). In the mirrored register that is the lowest bit, so the
/// lowest *byte* goes first: the one number in a frame that looks little-endian.
pub const fn fcs_bytes(crc: u32) -> [u8; 4] {
    crc.to_le_bytes()
}

/// Computed by the compiler: the first table bit by bit, each other one from the one before it.
const fn tables() -> [[u32; 256]; STEP] {
    let mut tables = [[0; 256]; STEP];
    let mut byte = 0;
    while byte < 256 {
        let mut register = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            register = register >> 1 ^ if register & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        tables[0][byte] = register;
        byte += 1;
    }
    let mut n = 1;
    while n < STEP {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[n - 1][byte];
            tables[n][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        n += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_answers_come_out() {
        assert_eq!(crc32(b""), 0);
        // The check value by which catalogues of CRCs know this one.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b"a"), 0xe8b7_be43);
        assert_eq!(crc32(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
        assert_eq!(crc32(&[0; 32]), 0x190a_55ad);
        assert_eq!(crc32(&[0xff; 32]), 0xff6c_ab0b);
    }

    #[test]
    fn the_lowest_byte_is_sent_first() {
        assert_eq!(fcs_bytes(0xcbf4_3926), [0x26, 0x39, 0xf4, 0xcb]);
    }

    /// The definition: one bit at a time.
    fn plain(bytes: &[u8]) -> u32 {
        let mut register = u32::MAX;
        for byte in bytes {
            register ^= u32::from(*byte);
            for _ in 0..8 {
                register = register >> 1 ^ if register & 1 == 1 { POLYNOMIAL } else { 0 };
            }
        }
        !register
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sixteen_bytes_a_step_give_what_one_bit_a_step_gives(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(crc32(&bytes), plain(&bytes));
        }

        #[test]
        fn data_with_its_own_check_sequence_leaves_the_residue(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let fcs = fcs_bytes(crc32(&bytes));
            bytes.extend_from_slice(&fcs);
            prop_assert_eq!(crc32(&bytes), RESIDUE);
        }

        #[test]
        fn a_burst_of_32_bits_is_always_found(
            bytes in proptest::collection::vec(any::<u8>(), 4..200), at in any::<prop::sample::Index>(), burst in 1u32..,
        ) {
            let mut damaged = bytes.clone();
            let at = at.index(bytes.len() - 3);
            for (byte, wrong) in damaged[at..].iter_mut().zip(burst.to_be_bytes()) {
                *byte ^= wrong;
            }
            prop_assert_ne!(crc32(&damaged), crc32(&bytes));
        }
    }
}

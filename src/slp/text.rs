//! Names as the game stores them: Shift JIS, full-width where Melee's keyboard is.

use encoding_rs::SHIFT_JIS;

/// Decodes a Shift JIS field up to its first NUL and turns full-width characters into ordinary
/// ones, as every Slippi tool shows them: `ＦＯＸ` reads `FOX`, the `＃` of a connect code `#`.
///
/// Bytes that are no Shift JIS become U+FFFD.
pub fn decode_name(field: &[u8]) -> String {
    let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
    let (text, _) = SHIFT_JIS.decode_without_bom_handling(&field[..end]);
    text.chars().map(to_half_width).collect()
}

/// Full-width ASCII (U+FF01..=U+FF5E), the ideographic space and the two curly quotes that Melee's
/// name entry offers, as their ASCII twins.
fn to_half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(c) - 0xFF01 + u32::from('!')).unwrap_or(c)
        }
        '\u{3000}' => ' ',
        '\u{2019}' => '\'',
        '\u{201D}' => '"',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_full_width_names_and_connect_codes() {
        assert_eq!(decode_name(b"\x82\x65\x82\x6e\x82\x77\0\0junk"), "FOX");
        assert_eq!(decode_name(b"ABCD\x81\x94123\0"), "ABCD#123");
        assert_eq!(decode_name(b"\x83\x7d\x83\x8b\x83\x58"), "マルス");
        assert_eq!(decode_name(b"\0"), "");
    }
}

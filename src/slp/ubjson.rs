//! UBJSON (Draft 12), as much of it as `.slp` files and the console protocol use: strict, bounded,
//! without copies.
//!
//! No published crate writes the console's own layout, and a length that comes from outside must
//! not size an allocation here: strings and byte arrays are slices of the input, and every other
//! value takes at least one byte of it.

use byteorder::{BigEndian, ByteOrder};
use thiserror::Error;

/// How deep containers may lie in one another. Slippi's own metadata is 5 deep.
pub const MAX_DEPTH: usize = 16;

/// Input that is not UBJSON, or not within the limits of this module.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum UbjsonError {
    /// The input ends inside a value.
    #[error("the UBJSON ends inside a value, at byte {0}")]
    Truncated(usize),
    /// A type marker where none of that kind may stand.
    #[error("unexpected UBJSON marker {marker:#04x} at byte {at}")]
    Marker {
        /// The byte that was found.
        marker: u8,
        /// Its offset in the input.
        at: usize,
    },
    /// A negative length.
    #[error("negative UBJSON length at byte {0}")]
    Length(usize),
    /// More than [`MAX_DEPTH`] containers in one another.
    #[error("UBJSON containers deeper than {MAX_DEPTH} at byte {0}")]
    Depth(usize),
}

type Result<T> = std::result::Result<T, UbjsonError>;

/// A decoded value that borrows its text and bytes from the input.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// `Z`
    Null,
    /// `T`, `F`
    Bool(bool),
    /// `i`, `U`, `I`, `l`, `L`
    Int(i64),
    /// `d`, `D`
    Float(f64),
    /// `S`, `C`, `H`: bytes that should be UTF-8, but come from outside.
    Text(&'a [u8]),
    /// `[$U#`: an optimised array of bytes.
    Bytes(&'a [u8]),
    /// Any other array.
    Array(Vec<Value<'a>>),
    /// An object, in the order of the input.
    Object(Vec<(&'a [u8], Value<'a>)>),
}

impl<'a> Value<'a> {
    /// The member `key` of an object.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        match self {
            Value::Object(members) => {
                members.iter().find(|(k, _)| *k == key.as_bytes()).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Value::Int(n) = self { Some(*n) } else { None }
    }

    /// The text, with anything that is not UTF-8 replaced.
    pub fn as_text(&self) -> Option<String> {
        if let Value::Text(s) = self { Some(String::from_utf8_lossy(s).into_owned()) } else { None }
    }

    /// The members of an object, in order; nothing for other values.
    pub fn members(&self) -> &[(&'a [u8], Value<'a>)] {
        if let Value::Object(members) = self { members } else { &[] }
    }
}

/// Reads values off the front of a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

/// The header of a container: `[$U#..`, `{#..`, `{`.
struct Container {
    element: Option<u8>,
    count: Option<usize>,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Reads one value of any kind.
    ///
    /// # Errors
    /// If the input is no UBJSON, ends early, or nests deeper than [`MAX_DEPTH`].
    pub fn value(&mut self) -> Result<Value<'a>> {
        let marker = self.marker()?;
        self.value_of(marker, 0)
    }

    /// Begins an object that is not optimised, as all of the console's are: its keys are then read
    /// with [`Reader::key`].
    ///
    /// # Errors
    /// If something else stands there.
    pub fn begin_object(&mut self) -> Result<()> {
        match self.marker()? {
            b'{' => Ok(()),
            marker => Err(self.unexpected(marker)),
        }
    }

    /// The next key of the object begun, or `None` at its end.
    ///
    /// # Errors
    /// If the input ends early or no key stands there.
    pub fn key(&mut self) -> Result<Option<&'a [u8]>> {
        loop {
            match self.marker()? {
                b'}' => return Ok(None),
                b'N' => {}
                marker => {
                    let len = self.length(marker)?;
                    return self.take(len).map(Some);
                }
            }
        }
    }

    fn value_of(&mut self, marker: u8, depth: usize) -> Result<Value<'a>> {
        if depth > MAX_DEPTH {
            return Err(UbjsonError::Depth(self.at));
        }
        Ok(match marker {
            b'Z' => Value::Null,
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'i' | b'U' | b'I' | b'l' | b'L' => Value::Int(self.int(marker)?),
            b'd' => Value::Float(f64::from(BigEndian::read_f32(self.take(4)?))),
            b'D' => Value::Float(BigEndian::read_f64(self.take(8)?)),
            b'C' => Value::Text(self.take(1)?),
            b'S' | b'H' => {
                let marker = self.marker()?;
                let len = self.length(marker)?;
                Value::Text(self.take(len)?)
            }
            b'[' => self.array(depth)?,
            b'{' => self.object(depth)?,
            _ => return Err(self.unexpected(marker)),
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>> {
        let container = self.container()?;
        if let (Some(b'U'), Some(count)) = (container.element, container.count) {
            return self.take(count).map(Value::Bytes);
        }
        let mut values = Vec::new();
        while container.count.is_none_or(|count| values.len() < count) {
            let marker = match container.element {
                Some(marker) => marker,
                None => match self.marker()? {
                    b'N' => continue,
                    b']' if container.count.is_none() => break,
                    marker => marker,
                },
            };
            values.push(self.value_of(marker, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>> {
        let container = self.container()?;
        let mut members = Vec::new();
        while container.count.is_none_or(|count| members.len() < count) {
            let key = if container.count.is_none() {
                let Some(key) = self.key()? else { break };
                key
            } else {
                let marker = self.marker()?;
                let len = self.length(marker)?;
                self.take(len)?
            };
            let marker = match container.element {
                Some(marker) => marker,
                None => self.marker()?,
            };
            members.push((key, self.value_of(marker, depth + 1)?));
        }
        Ok(Value::Object(members))
    }

    /// Reads `$` type and `#` count, if they are there. A typed container needs a count, and its
    /// type must take room in the input: else a count alone could fill the memory.
    fn container(&mut self) -> Result<Container> {
        let mut element = None;
        if self.peek() == Some(b'$') {
            self.at += 1;
            let marker = self.marker()?;
            if matches!(marker, b'Z' | b'T' | b'F' | b'N') {
                return Err(self.unexpected(marker));
            }
            element = Some(marker);
        }
        let mut count = None;
        if self.peek() == Some(b'#') {
            self.at += 1;
            let marker = self.marker()?;
            count = Some(self.length(marker)?);
        } else if element.is_some() {
            let marker = self.marker()?;
            return Err(self.unexpected(marker));
        }
        Ok(Container { element, count })
    }

    fn length(&mut self, marker: u8) -> Result<usize> {
        let at = self.at;
        usize::try_from(self.int(marker)?).map_err(|_| UbjsonError::Length(at))
    }

    fn int(&mut self, marker: u8) -> Result<i64> {
        Ok(match marker {
            b'i' => i64::from(self.take(1)?[0] as i8),
            b'U' => i64::from(self.take(1)?[0]),
            b'I' => i64::from(BigEndian::read_i16(self.take(2)?)),
            b'l' => i64::from(BigEndian::read_i32(self.take(4)?)),
            b'L' => BigEndian::read_i64(self.take(8)?),
            _ => return Err(self.unexpected(marker)),
        })
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn marker(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn unexpected(&self, marker: u8) -> UbjsonError {
        UbjsonError::Marker { marker, at: self.at.saturating_sub(1) }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(len).ok_or(UbjsonError::Truncated(self.at))?;
        let bytes = self.input.get(self.at..end).ok_or(UbjsonError::Truncated(self.at))?;
        self.at = end;
        Ok(bytes)
    }
}

/// Appends a length in the smallest marker that holds it, as the console and slippi-js do: `i`
/// below 128, `U` below 256, `I` below 32768, else `l` (`L` beyond 2 GiB).
pub fn write_len(out: &mut Vec<u8>, len: usize) {
    match len {
        0..=0x7F => out.extend([b'i', len as u8]),
        0x80..=0xFF => out.extend([b'U', len as u8]),
        0x100..=0x7FFF => {
            out.push(b'I');
            out.extend((len as u16).to_be_bytes());
        }
        0x8000..=0x7FFF_FFFF => {
            out.push(b'l');
            out.extend((len as u32).to_be_bytes());
        }
        _ => {
            out.push(b'L');
            out.extend((len as u64).to_be_bytes());
        }
    }
}

/// Appends the key of an object's member. Its length is counted in bytes.
pub fn write_key(out: &mut Vec<u8>, key: &str) {
    write_len(out, key.len());
    out.extend(key.as_bytes());
}

/// Appends a text: `S`, its length in bytes, the bytes.
pub fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'S');
    write_len(out, text.len());
    out.extend(text);
}

/// Appends an optimised byte array, `[$U#`, its length, the bytes.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_bytes_header(out, bytes.len());
    out.extend(bytes);
}

/// Appends all of an optimised byte array but its bytes.
pub fn write_bytes_header(out: &mut Vec<u8>, len: usize) {
    out.extend(b"[$U#");
    write_len(out, len);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(input: &[u8]) -> Result<Value<'_>> {
        Reader::new(input).value()
    }

    #[test]
    fn reads_every_kind_of_value() {
        let input = b"{i\x01aZi\x01bTi\x01cFi\x01di\xffi\x01eU\xffi\x01fI\x80\0i\x01gl\0\0\0\x09i\x01hL\0\0\0\0\0\0\0\x01\
            i\x01jd\x3f\x80\0\0i\x01kD\x3f\xf0\0\0\0\0\0\0i\x01mCxi\x01nSi\x02hii\x01o[$U#i\x02abi\x01p[i\x01i\x02]\
            i\x01q[#i\x01i\x05i\x01r{$i#i\x01i\x01z\x07}";
        let value = read(input).unwrap();
        assert_eq!(value.members().len(), 16);
        assert_eq!(value.get("d").unwrap().as_int(), Some(-1));
        assert_eq!(value.get("f").unwrap().as_int(), Some(-32768));
        assert_eq!(value.get("k"), Some(&Value::Float(1.0)));
        assert_eq!(value.get("n").unwrap().as_text().as_deref(), Some("hi"));
        assert_eq!(value.get("o"), Some(&Value::Bytes(b"ab")));
        assert_eq!(value.get("p"), Some(&Value::Array(vec![Value::Int(1), Value::Int(2)])));
        assert_eq!(value.get("r").unwrap().get("z").unwrap().as_int(), Some(7));
    }

    #[test]
    fn hostile_lengths_are_errors_and_allocate_nothing() {
        assert!(matches!(read(b"[$U#l\x7f\xff\xff\xff1"), Err(UbjsonError::Truncated(_))));
        assert!(read(b"[$U#L\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());
        assert!(matches!(read(b"[$U#i\xff"), Err(UbjsonError::Length(_))));
        assert!(matches!(read(b"[$Z#l\x7f\xff\xff\xff"), Err(UbjsonError::Marker { .. })));
        assert!(matches!(read(b"[#l\x7f\xff\xff\xffZ"), Err(UbjsonError::Truncated(_))));
        assert!(matches!(read(b"[$UU"), Err(UbjsonError::Marker { .. })));
        assert_eq!(read(&[b'['; 100]), Err(UbjsonError::Depth(MAX_DEPTH + 2)));
    }

    #[test]
    fn lengths_take_the_smallest_marker() {
        let expected: [(usize, &[u8]); 7] = [
            (0, b"i\0"),
            (127, b"i\x7f"),
            (128, b"U\x80"),
            (255, b"U\xff"),
            (256, b"I\x01\0"),
            (32_767, b"I\x7f\xff"),
            (32_768, b"l\0\0\x80\0"),
        ];
        for (len, bytes) in expected {
            let mut out = Vec::new();
            write_len(&mut out, len);
            assert_eq!(out, bytes, "{len}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_an_error(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&input);
            let _ = reader.value();
            prop_assert!(reader.position() <= input.len());
        }

        #[test]
        fn text_and_bytes_come_back(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut out = vec![b'{'];
            write_key(&mut out, "text");
            write_text(&mut out, text.as_bytes());
            write_key(&mut out, "bytes");
            write_bytes(&mut out, &bytes);
            out.push(b'}');
            let value = read(&out).unwrap();
            prop_assert_eq!(value.get("text"), Some(&Value::Text(text.as_bytes())));
            prop_assert_eq!(value.get("bytes"), Some(&Value::Bytes(&bytes[..])));
        }
    }
}

//! The short names the kernel takes: schedulers, persistence engines, interfaces.

use std::fmt;
use std::str::FromStr;

/// How many bytes a name may have: one less than the kernel's field, which ends in a zero.
pub const NAME_MAX: usize = rk_ipvs_sys::IP_VS_SCHEDNAME_MAXLEN as usize - 1;

/// A name of 1 to 15 bytes without a zero. Small and `Copy`: there may be tens of thousands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    bytes: [u8; NAME_MAX],
    len: u8,
}

/// Why something is no [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has no character at all.
    #[error("the name is empty")]
    Empty,
    /// It has more bytes than the kernel keeps.
    #[error("the name has {len} bytes; the kernel takes at most {NAME_MAX}")]
    TooLong {
        /// How many it has.
        len: usize,
    },
    /// It has a zero byte.
    #[error("the name has a zero byte")]
    Zero,
}

impl Name {
    /// The name of these bytes.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self, NameError> {
        let name = name.as_ref();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.contains(&0) {
            return Err(NameError::Zero);
        }
        let mut bytes = [0; NAME_MAX];
        let too_long = NameError::TooLong { len: name.len() };
        bytes
            .get_mut(..name.len())
            .ok_or(too_long)?
            .copy_from_slice(name);
        let len = u8::try_from(name.len()).map_err(|_| too_long)?;
        Ok(Self { bytes, len })
    }

    /// Its bytes, without the zero at the end.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_the_field_of_the_kernel() {
        assert_eq!(Name::new("rr").unwrap().to_string(), "rr");
        assert_eq!(Name::new("a".repeat(15)).unwrap().as_bytes().len(), 15);
        assert_eq!(Name::new(""), Err(NameError::Empty));
        assert_eq!(
            Name::new("a".repeat(16)),
            Err(NameError::TooLong { len: 16 })
        );
        assert_eq!(
            Name::new("a".repeat(300)),
            Err(NameError::TooLong { len: 300 })
        );
        assert_eq!(Name::new("a\0"), Err(NameError::Zero));
    }
}

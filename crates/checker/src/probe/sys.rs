//! PCRE2, safely: compiled patterns and searches.
//!
//! The crate `pcre2` has no partial matching, which is what finds a match across the pieces in
//! which a page arrives; so this speaks to the library itself.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use pcre2_sys as pcre2;

/// A compiled pattern. Nothing changes it any more, so it can be shared.
#[derive(Debug)]
pub(super) struct Code {
    raw: NonNull<pcre2::pcre2_code_8>,
}

// SAFETY: a pcre2_code is only read after compilation, JIT compilation included (pcre2api(3),
// MULTITHREADING), and both are over before a Code exists.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

/// Why a pattern does not compile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct CompileError {
    /// Octets before the mistake.
    pub(super) offset: usize,
    /// PCRE2's words.
    pub(super) message: String,
}

impl Code {
    /// Compiles `pattern` with PCRE2's option bits `options`, for the machine's processor where
    /// that is possible.
    pub(super) fn compile(pattern: &str, options: u32) -> Result<Self, CompileError> {
        let mut number = 0;
        let mut offset = 0;
        // SAFETY: the pattern is `len` octets long; number and offset outlive the call; a null
        // context is allowed.
        let raw = unsafe {
            pcre2::pcre2_compile_8(
                pattern.as_ptr(),
                pattern.len(),
                options,
                &raw mut number,
                &raw mut offset,
                ptr::null_mut(),
            )
        };
        let Some(raw) = NonNull::new(raw) else {
            return Err(CompileError {
                offset,
                message: words(number),
            });
        };
        let code = Self { raw };
        // SAFETY: the code is ours alone. Failure means that searches are interpreted.
        let _ = unsafe {
            pcre2::pcre2_jit_compile_8(
                code.raw.as_ptr(),
                pcre2::PCRE2_JIT_COMPLETE | pcre2::PCRE2_JIT_PARTIAL_HARD,
            )
        };
        Ok(code)
    }

    /// The option bits in force, with those that the pattern itself sets.
    pub(super) fn options(&self) -> u32 {
        self.info(pcre2::PCRE2_INFO_ALLOPTIONS)
    }

    /// How many characters before a place in the text the pattern may look at.
    pub(super) fn max_lookbehind(&self) -> u32 {
        self.info(pcre2::PCRE2_INFO_MAXLOOKBEHIND)
    }

    /// One of the values that PCRE2 gives as `uint32_t`.
    fn info(&self, what: u32) -> u32 {
        let mut value = 0u32;
        // SAFETY: both values asked for are written as a u32, which is where the pointer leads.
        unsafe {
            pcre2::pcre2_pattern_info_8(self.raw.as_ptr(), what, (&raw mut value).cast::<c_void>());
        }
        value
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: it came from pcre2_compile, and no search outlives its borrow of it.
        unsafe { pcre2::pcre2_code_free_8(self.raw.as_ptr()) }
    }
}

/// PCRE2's words for an error number.
pub(super) fn words(number: i32) -> String {
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer is as long as said.
    let length =
        unsafe { pcre2::pcre2_get_error_message_8(number, buffer.as_mut_ptr(), buffer.len()) };
    let text = usize::try_from(length)
        .ok()
        .and_then(|length| buffer.get(..length))
        .unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// Whether more text may follow the one that is searched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Text {
    /// A match that reaches the end of the text might go on, or not be one.
    Unfinished,
    /// That is all.
    Complete,
}

/// What a search found; places are octets from the beginning of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// A match that begins here.
    Match(usize),
    /// What begins here may become a match.
    Partial(usize),
    Nothing,
    /// PCRE2 gave up, with this error number.
    Error(i32),
}

/// What searches need beside the pattern: memory for the result, limits, a stack.
#[derive(Debug)]
pub(super) struct Searcher {
    data: NonNull<pcre2::pcre2_match_data_8>,
    context: NonNull<pcre2::pcre2_match_context_8>,
    stack: *mut pcre2::pcre2_jit_stack_8,
}

// SAFETY: plain heap memory, used through `&mut self` only.
unsafe impl Send for Searcher {}

impl Searcher {
    /// For patterns that need a bigger stack, its first and greatest size in octets. `None`: no
    /// memory.
    pub(super) fn new(stack: Option<(usize, usize)>) -> Option<Self> {
        // SAFETY: null means the default allocator.
        let data = unsafe { pcre2::pcre2_match_data_create_8(1, ptr::null_mut()) };
        let data = NonNull::new(data)?;
        // SAFETY: as above.
        let context = unsafe { pcre2::pcre2_match_context_create_8(ptr::null_mut()) };
        let Some(context) = NonNull::new(context) else {
            // SAFETY: just created, used nowhere.
            unsafe { pcre2::pcre2_match_data_free_8(data.as_ptr()) };
            return None;
        };
        let mut searcher = Self {
            data,
            context,
            stack: ptr::null_mut(),
        };
        if let Some((first, greatest)) = stack {
            // SAFETY: null means the default allocator; a null result is allowed below.
            searcher.stack =
                unsafe { pcre2::pcre2_jit_stack_create_8(first, greatest, ptr::null_mut()) };
            // SAFETY: both live until `drop`; without a callback the last argument is the stack
            // itself, or null for the default one.
            unsafe {
                pcre2::pcre2_jit_stack_assign_8(
                    searcher.context.as_ptr(),
                    None,
                    searcher.stack.cast::<c_void>(),
                );
            }
        }
        Some(searcher)
    }

    /// Looks in `text` for the first match that begins at `start` or later.
    pub(super) fn search(&mut self, code: &Code, text: &[u8], start: usize, kind: Text) -> Found {
        let options = match kind {
            Text::Unfinished => pcre2::PCRE2_PARTIAL_HARD,
            Text::Complete => 0,
        };
        // SAFETY: the text is `len` octets long and outlives the call; a start beyond it, or
        // inside of a character, is an error that PCRE2 reports. Octets that are no UTF-8 are
        // checked for: NO_UTF_CHECK is not given.
        let result = unsafe {
            pcre2::pcre2_match_8(
                code.raw.as_ptr(),
                text.as_ptr(),
                text.len(),
                start,
                options,
                self.data.as_ptr(),
                self.context.as_ptr(),
            )
        };
        match result {
            pcre2::PCRE2_ERROR_NOMATCH => Found::Nothing,
            pcre2::PCRE2_ERROR_PARTIAL => {
                // SAFETY: there is always room for one pair, and a partial match fills it.
                let first = unsafe { *pcre2::pcre2_get_ovector_pointer_8(self.data.as_ptr()) };
                Found::Partial(first.min(text.len()))
            }
            // 0: more groups than there is room for, and nobody asks for them.
            0.. => {
                // SAFETY: the data are those of the successful search above.
                let begin = unsafe { pcre2::pcre2_get_startchar_8(self.data.as_ptr()) };
                Found::Match(begin)
            }
            number => Found::Error(number),
        }
    }
}

impl Drop for Searcher {
    fn drop(&mut self) {
        // SAFETY: all three came from their create functions, and freeing null is allowed.
        unsafe {
            pcre2::pcre2_jit_stack_free_8(self.stack);
            pcre2::pcre2_match_context_free_8(self.context.as_ptr());
            pcre2::pcre2_match_data_free_8(self.data.as_ptr());
        }
    }
}

//! Text for a terminal: a line that is too wide for it goes on below, from a blank, and further in.

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// How much further in a line goes on: further than the fields below a resource.
const FURTHER: &str = "      ";

/// The text in lines no wider than this, but for words that are wider.
pub fn fold(text: &str, columns: usize) -> String {
    let mut folded = String::with_capacity(text.len());
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches('\n');
        if display_width(line) <= columns {
            folded.push_str(whole);
            continue;
        }
        let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
        let further = format!("{indent}{FURTHER}");
        let options = Options::new(columns)
            .initial_indent(indent)
            .subsequent_indent(&further)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit);
        folded.push_str(&textwrap::fill(&line[indent.len()..], options));
        folded.push_str(&whole[line.len()..]);
    }
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::style::{BOLD, CREATE, paint};
    use super::*;
    use anstream::adapter::strip_str;

    #[test]
    fn a_line_goes_on_below_and_further_in() {
        let line = format!("{} of the shop is made first\n", paint(BOLD, "All that"));
        let folded = strip_str(&fold(&line, 16)).to_string();
        assert_eq!(folded, "All that of the\n      shop is\n      made first\n");
        let row = format!("  name   {}  forced\nshort\n", paint(CREATE, "value"));
        let folded = strip_str(&fold(&row, 17)).to_string();
        assert_eq!(folded, "  name   value\n        forced\nshort\n");
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole() {
        assert_eq!(
            fold("- /ecommerce/user/HOST  delete", 12),
            "-\n      /ecommerce/user/HOST\n      delete"
        );
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_of_several_is_too_wide(
            text in "( {0,4}[a-z]{1,9}( {1,3}[a-z日]{1,9}){0,9}\n){0,4}", columns in 20_usize..50,
        ) {
            let folded = fold(&text, columns);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&folded), words(&text));
            for line in folded.lines() {
                prop_assert!(display_width(line) <= columns || words(line).len() == 1, "{line:?} of {text:?}");
            }
        }
    }
}

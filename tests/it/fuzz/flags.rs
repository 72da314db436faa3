//! The command line: an exit code of ours, whatever it says.

use crate::product::Shop;

/// Arguments, one a line.
pub fn command(text: &str) {
    // No argument has a zero byte in it; and no port answers there.
    let arguments: Vec<&str> = text.split('\n').filter(|word| !word.contains('\0')).collect();
    let shop = Shop::at("http://127.0.0.1:9");
    let ran = shop.bare(&arguments);
    assert!(matches!(ran.code, Some(0..=4)), "{ran}");
    assert!(!ran.stderr.contains("panicked"), "{ran}");
}

//! "Did you mean": the known word nearest to one that isn't known.

/// What is longer, nobody has just misspelt.
const LONGEST: usize = 200;
/// Of more words, the first are looked at: a file may have as many errors as names.
const MOST: usize = 500;

/// A hint for `word`: the nearest of `known`, or all of them where they are few.
pub fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(word, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    match known.len() {
        0 => None,
        1..=25 => Some(format!("known: {}", list(known))),
        _ => None,
    }
}

/// The word of `known` that is spelt most like `word`, if any is close.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let allowed = word.chars().count() / 3;
    let known = known.into_iter().filter(|known| known.len() <= LONGEST).take(MOST);
    let scored = known.map(|known| {
        let lower = known.to_lowercase();
        (known, strsim::osa_distance(&word, &lower), strsim::jaro_winkler(&word, &lower))
    });
    scored
        .filter(|(_, distance, likeness)| *distance <= allowed || *likeness >= 0.9)
        .min_by(|a, b| a.1.cmp(&b.1).then(b.2.total_cmp(&a.2)))
        .map(|(known, ..)| known)
}

/// Words as they stand in a sentence.
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

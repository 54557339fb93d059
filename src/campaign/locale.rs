//! The languages that any of the platform's documents names (`FACTS` §9).
//!
//! Five lists disagree, so an unknown language is a warning and never a fault.

/// Every code that at least one list has.
const CODES: [&str; 58] = [
    "arb",
    "az-AZ",
    "ca-ES",
    "cmn-CN",
    "cs-CZ",
    "cy-GB",
    "da-DK",
    "de-AT",
    "de-DE",
    "el-GR",
    "en-AU",
    "en-CA",
    "en-GB",
    "en-GB-WLS",
    "en-IN",
    "en-NZ",
    "en-US",
    "en-ZA",
    "es-CA",
    "es-ES",
    "es-MX",
    "es-US",
    "et-EE",
    "fi-FI",
    "fil-PH",
    "fr-CA",
    "fr-FR",
    "hi-IN",
    "hr-HR",
    "hu-HU",
    "id-ID",
    "is-IS",
    "it-IT",
    "ja-JP",
    "ka-GE",
    "ko-KR",
    "lt-LT",
    "lv-LV",
    "ms-MY",
    "mt-MT",
    "nb-NO",
    "nl-NL",
    "pl-PL",
    "pt-BR",
    "pt-PT",
    "ro-RO",
    "ru-RU",
    "sk-SK",
    "sl-SI",
    "sv-SE",
    "th-TH",
    "tr-TR",
    "uk-UA",
    "uz-UZ",
    "vi-VN",
    "zh-HK",
    "zh-TW",
    "zn-CN",
];

/// The voices by name, as the Node SDK has them; some with and without their accent.
const VOICES: &str = "\
    Achara Aditi Amy Angelo Antonin Anu Ardi Aria Arlet Arthur Astrid Athina Ayanda Babek \
    Banu Bianca Blessica Brian Camila Carla Carmen Celine Chantal Conchita Cristiano Céline \
    Daniel Dora Dóra Eka Emma Enrique Everita Ewa Filiz Gabrielle Gabrijela Gadis Geraint \
    Giorgi Giorgio Grace Gwyneth Hannah Hans HiuGaai HiuMaan HoaiMy Ines Inês Ivy Jacek Jan \
    Joanna Joey Joseph Justin Kajal Karl Kendra Kert Kevin Kimberly Leonas Liam Liv Lotte \
    Lucia Lukas Lupe Léa Madina Mads Maja Marlene Mathieu Matthew Maxim Mia Miguel Mizuki \
    Naja NamMinh Nestoras Nicole Nils Niwat Noemi Olivia Ona Osman Ostap Pedro Penelope \
    Penélope Petra Polina Premwadee Raveena Ricardo Rok Ruben Russell Salli Sardor Seoyeon \
    Srecko Suvi Takumi Tamas Tatyana Vicki Viktoria Vitoria Vitória Vlasta WanLung Yasmin \
    Zeina Zhiyu";

/// What to say about a language or voice no list has; `None` where it is known.
///
/// The newer documents add `/male` and `/female`, and names of voices.
pub(super) fn doubt(locale: &str) -> Option<String> {
    let code = locale
        .strip_suffix("/male")
        .or_else(|| locale.strip_suffix("/female"))
        .unwrap_or(locale);
    if CODES.contains(&code) || VOICES.split(' ').any(|voice| voice == locale) {
        return None;
    }
    let near = super::fault::nearest(code, CODES.into_iter().chain(VOICES.split(' ')));
    Some(near.map_or_else(
        || "the platform decides; `en-US`, `sv-SE` and `de-DE` are in all its lists".to_owned(),
        |near| format!("did you mean `{near}`?"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_of_any_list_is_beyond_doubt_with_or_without_a_voice() {
        assert_eq!(doubt("sv-SE"), None);
        assert_eq!(doubt("en-US/female"), None);
        assert_eq!(doubt("sv-SV").unwrap(), "did you mean `sv-SE`?");
        for voice in ["Emma", "Kimberly", "Céline", "Celine", "en-US/male"] {
            assert_eq!(doubt(voice), None, "{voice}");
        }
        assert_eq!(doubt("Kimberley").unwrap(), "did you mean `Kimberly`?");
        assert_eq!(doubt("Emma/female").unwrap(), "did you mean `Emma`?");
        assert!(
            doubt("Robbie the Robot")
                .unwrap()
                .starts_with("the platform decides")
        );
    }
}

//! What the platform knows of a number: its country, its kind and what a minute costs (seed 001,
//! "Query Number"; seed 004; `FACTS` §5).

use reqwest::Method;

use super::lenient::Object;
use super::method::{ApiMethod, Host, Plain};
use super::region::Paths;
use crate::domain::Money;

/// `GET /v1/calling/query/number/{number}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryNumber {
    /// The number as it is known; spaces are left out of the path.
    pub number: String,
}

/// What the platform says of a number (seed 001, `NumberItem` of "Query Number").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberInfo {
    /// ISO 3166-1 code of the country.
    pub country_id: Option<String>,
    /// `Fixed`, `Mobile`, `Other` or `Unknown`; a newer word is kept.
    pub number_type: Option<String>,
    /// The number, E.164; none where the platform cannot read it.
    pub normalized_number: Option<String>,
    /// Whether calls to it are restricted.
    pub restricted: Option<bool>,
    /// What a minute costs.
    pub rate: Option<Money>,
}

impl ApiMethod for QueryNumber {
    type Answer = NumberInfo;

    fn request(&self, _: Paths) -> Plain {
        let number: String = self.number.split_whitespace().collect();
        Plain::new(Method::GET, Host::Configuration, "/v1/calling/query/number").segment(number)
    }

    /// The documents' schema says `number`, their examples `numberItem` (`FACTS` §12, row 25).
    fn read(&self, body: &[u8]) -> Option<NumberInfo> {
        let object = Object::parse(body)?;
        let inner = object
            .object(&["numberItem"])
            .or_else(|| object.object(&["number"]));
        let item = inner.as_ref().unwrap_or(&object);
        let info = NumberInfo {
            country_id: item.text(&["countryId"]),
            number_type: item.text(&["numberType"]),
            normalized_number: item.text(&["normalizedNumber"]),
            restricted: item.boolean(&["restricted"]),
            rate: item.money(&["rate"]),
        };
        (info != NumberInfo::default()).then_some(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_in_each_of_its_shapes() {
        let query = QueryNumber {
            number: "+46(0)73-017 01 01".into(),
        };
        assert_eq!(query.request(Paths::Current).segments, ["+46(0)73-0170101"]);
        for body in [
            r#"{"number":{"countryId":"SE","normalizedNumber":"+46","restricted":false,"rate":{"currencyId":"USD","amount":0.0368}}}"#,
            r#"{"method":"numberItem","numberItem":{"countryId":"SE","normalizednumber":"+46","restricted":"false","rate":"0.0368 USD"}}"#,
            r#"{"countryId":"SE","normalizedNumber":"+46","restricted":false,"rate":{"currencyId":"usd","amount":"0.0368"}}"#,
        ] {
            let info = query.read(body.as_bytes()).unwrap();
            assert_eq!(info.country_id.as_deref(), Some("SE"), "{body}");
            assert_eq!(info.normalized_number.as_deref(), Some("+46"), "{body}");
            assert_eq!(info.restricted, Some(false), "{body}");
            assert_eq!(info.rate.unwrap().to_string(), "0.0368 USD", "{body}");
        }
        assert_eq!(query.read(b"{}"), None);
    }
}

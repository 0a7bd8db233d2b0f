//! The last part of a delivered object's key.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `STREAM-VERSION-yyyy-MM-dd-HH-mm-ss-UUID[.ext]`. `at` is the arrival of the object's oldest record, in the zone that the
/// prefix is evaluated in; `extension` is with its dot (`.gz`) or empty.
pub fn object_name(stream: &str, version: u64, at: Timestamp, zone: &TimeZone, uuid: &str, extension: &str) -> String {
    let at = at.to_zoned(zone.clone());
    format!("{stream}-{version}-{}-{uuid}{extension}", at.strftime("%Y-%m-%d-%H-%M-%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_zone() {
        let at: Timestamp = "2018-08-27T23:30:05.9Z".parse().unwrap();
        let name = |zone: &str, extension| object_name("web", 3, at, &TimeZone::get(zone).unwrap(), "1b-2c", extension);
        assert_eq!(name("UTC", ".gz"), "web-3-2018-08-27-23-30-05-1b-2c.gz");
        assert_eq!(name("Asia/Tokyo", ""), "web-3-2018-08-28-08-30-05-1b-2c");
    }
}

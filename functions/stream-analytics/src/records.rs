//! Several records of a Kinesis stream in one effect: for each a line `<key> <bytes>`, then the bytes.

/// A record of a Kinesis stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The partition key: the row's id.
    pub key: &'a str,
    /// The row.
    pub data: &'a str,
}

/// Appends a record.
pub fn add(key: &str, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{key} {}\n", data.len()).as_bytes());
    out.extend_from_slice(data);
}

/// The other way round; what is no record ends it.
pub fn read(payload: &str) -> Vec<Record<'_>> {
    let (mut records, mut rest) = (Vec::new(), payload);
    while let Some((record, others)) = first(rest) {
        records.push(record);
        rest = others;
    }
    records
}

fn first(payload: &str) -> Option<(Record<'_>, &str)> {
    let (line, rest) = payload.split_once('\n')?;
    let (key, length) = line.split_once(' ')?;
    let (data, rest) = rest.split_at_checked(length.parse().ok()?)?;
    Some((Record { key, data }, rest))
}

/// Records as a payload.
pub fn write<'a>(records: impl IntoIterator<Item = &'a Record<'a>>) -> String {
    let mut out = Vec::new();
    records.into_iter().for_each(|record| add(record.key, record.data.as_bytes(), &mut out));
    // Made of texts.
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let records = [("a", "{\"A\":1}\n"), ("b", ""), ("c", "\"two\nlines\",é\n")];
        let records = records.map(|(key, data)| Record { key, data });
        let payload = write(&records);
        assert_eq!(read(&payload), records);
        assert_eq!(read(&payload[..payload.len() - 1]), records[..2]);
        assert_eq!(read("b 1\né"), []);
    }
}

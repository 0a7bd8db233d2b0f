//! Lines like those of HDFS, which search engines are measured with.

use bytes::Bytes;
use search_index::mapping::Mapping;

/// Milliseconds between two lines.
pub const STEP: u64 = 10;

/// The time of the first line (epoch ms).
pub const START: u64 = 1_763_000_000_000;

/// A line of a data node, as HDFS logs it.
pub fn line(number: u64) -> Bytes {
    // A multiplicative hash spreads consecutive numbers (Knuth, TAOCP 6.4).
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (block, port) = (mixed >> 1, 30_000 + (mixed >> 40) % 30_000);
    let (a, b) = ((mixed >> 16) % 250, (mixed >> 24) % 250);
    let level = if number % 10 == 3 { "WARN" } else { "INFO" };
    let text = match number % 4 {
        0 => format!("Receiving block blk_{block} src: /10.250.{a}.{b}:{port} dest: /10.250.{b}.{a}:50010"),
        1 => format!("PacketResponder {} for block blk_{block} terminating", number % 3),
        2 => format!("Received block blk_{block} of size 67108864 from /10.250.{a}.{b}"),
        _ => {
            format!("BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.251.{a}.{b}:50010 is added to blk_{block}")
        }
    };
    let needle = if number % 1_000_000 == 500_000 { " needle" } else { "" };
    let class = ["DataNode$DataXceiver", "DataNode$PacketResponder", "FSNamesystem"][number as usize % 3];
    Bytes::from(format!(
        "{{\"@timestamp\":{},\"level\":\"{level}\",\"class\":\"dfs.{class}\",\"host\":\"node-{}\",\"message\":\"{text}{needle}\"}}",
        START + number * STEP,
        mixed % 200,
    ))
}

/// What their fields are.
pub fn mapping() -> Mapping {
    let properties = serde_json::json!({ "properties": {
        "@timestamp": { "type": "date" },
        "level": { "type": "keyword" },
        "class": { "type": "keyword" },
        "host": { "type": "keyword" },
        "message": { "type": "text" },
    } });
    Mapping::from_json(&properties).expect("a mapping")
}
